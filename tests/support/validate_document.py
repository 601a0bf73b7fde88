import json
from importlib.resources import files

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

folder = files("conda_token_plugin") / "schemas"
schemas = [json.loads(file.read_text("utf-8")) for file in folder.iterdir()]
registry = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in schemas
)
errors = json.loads((folder / "error.json").read_text("utf-8"))
Draft202012Validator(errors, registry=registry).validate(
    {"error": {"kind": "NoToken", "exit_code": 1, "what": "No token is stored.", "hint": ""}}
)
