"""Write the workbooks that departments fill in: facilities and registered figures, one for each department.

What was filled in is read by ``facilities`` and ``indicators`` as any other table; this room reads no row of
it and computes no figure.
"""

from lifecircle.forms._department_form import DepartmentForm, FigureRow, Unit, Units, department_forms
from lifecircle.forms._form_book import form_datum
from lifecircle.forms._form_steps import LINES_FILE, USUAL_PROFILE, FormOrder, write_forms

__all__ = [
    "LINES_FILE",
    "USUAL_PROFILE",
    "DepartmentForm",
    "FigureRow",
    "FormOrder",
    "Unit",
    "Units",
    "department_forms",
    "form_datum",
    "write_forms",
]
