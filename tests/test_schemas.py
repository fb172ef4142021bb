"""The printed schemas: the bundled files obey them, and what the readers refuse does not."""

import copy
import json
import tomllib

import jsonschema
import pytest

from commands import run as lifecircle
from conftest import ROOT, TOYTOWN
from lifecircle.errors import UnusableInputError
from lifecircle.findings import summary_schema
from lifecircle.standards import load_standard, profile_schema
from lifecircle.study import example_folder, read_study, study_schema

PROFILES = sorted((ROOT / "coverage/lifecircle/standards/profiles").glob("*.toml"))


def document(path):
    return tomllib.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("schema", [study_schema, profile_schema, summary_schema])
def test_each_is_a_json_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", [example_folder() / "study.toml", TOYTOWN / "study.toml"])
def test_bundled_studies_obey_the_schema(path):
    jsonschema.validate(document(path), study_schema())


@pytest.mark.parametrize("path", [*PROFILES, TOYTOWN / "standard.toml"], ids=lambda path: path.stem)
def test_bundled_profiles_obey_the_schema(path):
    jsonschema.validate(document(path), profile_schema())


STUDY_FAULTS = {
    "an unknown key": lambda study: study.update(yaer=2025),
    "an unknown key of a part": lambda study: study["demand"].update(popluation="p"),
    "an unknown key of a list": lambda study: study["facilities"][0].update(datumm="gcj02"),
    "no roads": lambda study: study.pop("roads"),
    "a datum without a name": lambda study: study["facilities"][0].update(datum="mars"),
    "an id with a blank": lambda study: study.update(id="my town"),
    "a year as text": lambda study: study.update(year="next"),
    "a language that is not printed": lambda study: study.update(language="fr"),
}


@pytest.mark.parametrize("name", STUDY_FAULTS)
def test_the_schema_of_a_study_refuses_what_the_reader_refuses(name, tmp_path):
    """The same change fails in both: one model is behind them."""
    plain = copy.deepcopy(document(TOYTOWN / "study.toml"))
    STUDY_FAULTS[name](plain)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain, study_schema())
    (tmp_path / "standard.toml").write_text((TOYTOWN / "standard.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "study.toml").write_text(as_toml(plain), "utf-8")
    with pytest.raises(UnusableInputError):
        read_study(tmp_path)


def as_toml(plain):
    """Write a document as TOML: tables inline, which is enough for a study."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in plain.items()) + "\n"


def _value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


PROFILE_FAULTS = {
    "an unknown key": {"naem": "x"},
    "a service without an id": {"service": [{"name": "x"}]},
    "an unknown key of a target": {"target": [{"id": "t", "kind": "indicator", "unit": "share", "gaol": 1}]},
    "a target without a kind": {"target": [{"id": "t", "unit": "share"}]},
    "a kind there is not": {"target": [{"id": "t", "kind": "survey", "unit": "share"}]},
    "a rule of nothing": {"target": [{"id": "t", "kind": "circle", "minutes": 15, "require": {}}]},
    "a time in another form": {
        "service": [{"id": "s"}],
        "target": [{"id": "t", "kind": "circle", "minutes": 15, "require": {"s": 1}, "open_at": "Saturday"}],
    },
    "a radius of neither area": {
        "service": [{"id": "s"}],
        "target": [{"id": "t", "kind": "circle", "minutes": 15, "require": {"s": 1}, "straight": {}}],
    },
}


@pytest.mark.parametrize("name", PROFILE_FAULTS)
def test_the_schema_of_a_profile_refuses_what_the_reader_refuses(name, tmp_path):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(PROFILE_FAULTS[name], profile_schema())
    (tmp_path / "mine.toml").write_text(as_toml(PROFILE_FAULTS[name]), "utf-8")
    with pytest.raises(UnusableInputError):
        load_standard("mine.toml", folder=tmp_path)


SHORT_FORMS = {
    "no id": {"service": [{"id": "s"}]},
    "plain names": {"name": "x", "service": [{"id": "s", "name": "y"}]},
    "one language": {"name": {"zh": "x"}},
    "a date as a number": {"date": 2021, "source": "x"},
    "one radius": {
        "service": [{"id": "s"}],
        "target": [
            {"id": "t", "kind": "circle", "minutes": 15, "require": {"s": 1}, "straight": {"rural_m": 900}}
        ],
    },
}


@pytest.mark.parametrize("name", SHORT_FORMS)
def test_what_a_profile_may_leave_out_the_schema_allows(name, tmp_path):
    jsonschema.validate(SHORT_FORMS[name], profile_schema())
    (tmp_path / "mine.toml").write_text(as_toml(SHORT_FORMS[name]), "utf-8")
    load_standard("mine.toml", folder=tmp_path)


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        ((), study_schema),
        (("study",), study_schema),
        (("profile",), profile_schema),
        (("summary",), summary_schema),
    ],
)
def test_the_command_prints_them(words, schema):
    done = lifecircle("schema", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == schema()
