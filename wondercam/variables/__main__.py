"""Write the documents of the variables: `python -m wondercam.variables`."""

from wondercam.variables.document import DOCUMENTS

for path, text in DOCUMENTS.items():
    path.write_text(text())
    print(f"written: {path}")
