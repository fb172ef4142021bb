"""Read ``study.toml`` and check it as a whole; not the files it names.

A study is a folder. Paths in ``study.toml`` are relative to it; a file may be given once or per year,
and the file of a year is the latest one not after it.
"""

from lifecircle.study._declared import (
    FIRST_YEAR,
    LAST_YEAR,
    STUDY_FILE,
    FaultyStudyError,
    Study,
    check_year,
    read_study,
    study_schema,
)
from lifecircle.study._example import copy_example, example_folder
from lifecircle.study._other_parts import (
    AtlasPart,
    BaseLayer,
    LandPart,
    PublishPart,
    ReadingPart,
    RoadsPart,
    SitingPart,
    StandardPart,
    UnitCost,
    Works,
    basis_of_cost,
)
from lifecircle.study._residents_parts import CrosswalkPart, DemandPart, SpreadPart, SurfacePart, TotalsPart
from lifecircle.study._table_parts import (
    DistrictsPart,
    FacilitiesPart,
    HeaderRow,
    IndicatorsFile,
    IndicatorsPart,
    LayerPart,
    ListPart,
    TablePart,
    TablePlace,
    VillagesPart,
    YearlyFile,
)

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "STUDY_FILE",
    "AtlasPart",
    "BaseLayer",
    "CrosswalkPart",
    "DemandPart",
    "DistrictsPart",
    "FacilitiesPart",
    "FaultyStudyError",
    "HeaderRow",
    "IndicatorsFile",
    "IndicatorsPart",
    "LandPart",
    "LayerPart",
    "ListPart",
    "PublishPart",
    "ReadingPart",
    "RoadsPart",
    "SitingPart",
    "SpreadPart",
    "StandardPart",
    "Study",
    "SurfacePart",
    "TablePart",
    "TablePlace",
    "TotalsPart",
    "UnitCost",
    "VillagesPart",
    "Works",
    "YearlyFile",
    "basis_of_cost",
    "check_year",
    "copy_example",
    "example_folder",
    "read_study",
    "study_schema",
]
