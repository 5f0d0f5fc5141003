"""Every environment variable that WonderCam reads: name, default, bounds and meaning, declared here and nowhere else.

    variable.py     what a declaration says
    site.py  storage.py  server.py  models.py  limits.py    the declarations, by section of the docs
    uploads.py      those limits that are about photos and sounds
    document.py     docs/settings.md and .env.example, made from them: `python -m wondercam.variables` writes both
    unread.py       names in the environment that nothing reads, with the names that were probably meant

`wondercam.env` reads the site's own by these declarations. Those of a provider are read by its file, which knows
neither Django nor the site; a test holds the defaults there equal to these.
"""

from wondercam.variables import limits, models, server, site, storage
from wondercam.variables.variable import Variable

SECTIONS = (site, storage, server, models, limits)

ALL: dict[str, Variable] = {variable.name: variable for section in SECTIONS for variable in section.VARIABLES}
