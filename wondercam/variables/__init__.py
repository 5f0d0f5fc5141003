"""Every environment variable that WonderCam reads: name, default, bounds and meaning, declared here and nowhere else.

    variable.py     the fields of a declaration
    site.py  storage.py  server.py  models.py  limits.py    the declarations, by section of the docs
    uploads.py      the limits of photos and sounds
    document.py     generates docs/settings.md and .env.example: `python -m wondercam.variables` writes both
    unread.py       unknown names in the environment, with the declared names that are probably meant

`wondercam.env` reads the site's variables by these declarations. Providers read their own variables, because they do
not depend on Django or the site; a test checks that their defaults are equal to these.
"""

from wondercam.variables import limits, models, server, site, storage
from wondercam.variables.variable import Variable

SECTIONS = (site, storage, server, models, limits)

ALL: dict[str, Variable] = {variable.name: variable for section in SECTIONS for variable in section.VARIABLES}
