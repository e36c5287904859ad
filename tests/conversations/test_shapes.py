"""How the Structs of all families become the types of one typed pass, and which declarations are refused."""

import importlib
import pkgutil
import types
import typing

import msgspec
import pytest

from logminer.conversations import families
from logminer.conversations.service_fields import ServiceFields
from logminer.conversations.shapes import BodyShape, RequestShape, body_shapes, merge_body_types

MODULES = sorted(module.name for module in pkgutil.iter_modules(families.__path__))


def struct(name, **fields):
    """A Struct whose fields, all optional, are `attribute=type` or `attribute=(type, encoded name)`."""
    declared = []
    for attribute, kind in fields.items():
        kind, encoded = kind if isinstance(kind, tuple) else (kind, attribute)
        declared.append((attribute, kind | None, msgspec.field(default=None, name=encoded)))
    return msgspec.defstruct(name, declared, gc=False)


def merged_request(*structs):
    shapes = [
        BodyShape(f"s{i}", "https://example.com", i, request=RequestShape(s, bool, bool))
        for i, s in enumerate(structs)
    ]
    return merge_body_types(shapes, every_response=ServiceFields).request


def decode(kind, text):
    return msgspec.json.decode(text, type=kind)


class TestFamilies:
    @pytest.mark.parametrize("name", MODULES)
    def test_module_describes_one_shape(self, name):
        shape = importlib.import_module(f"{families.__name__}.{name}").SHAPE
        assert shape.name == name
        assert shape.source.startswith("https://")
        assert shape.models
        assert shape.request or shape.response or shape.stream

    def test_all_are_collected_in_the_order_in_which_they_are_asked(self):
        assert sorted(shape.name for shape in body_shapes()) == MODULES
        assert [shape.rank for shape in body_shapes()] == sorted(shape.rank for shape in body_shapes())

    def test_two_of_one_name_are_refused(self, monkeypatch, tmp_path):
        (tmp_path / "copy_of_llama.py").write_text(
            "from logminer.conversations.families.llama import SHAPE as SHAPE\n", encoding="utf-8"
        )
        monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path)])
        with pytest.raises(RuntimeError, match="two modules have a SHAPE of the name 'llama'"):
            body_shapes.__wrapped__()

    def test_every_field_is_optional_and_none_is_a_dict(self):
        """Bodies are read as Structs, or as Raw where any object can come; the slow path knows no other."""
        for shape in body_shapes():
            for side in (shape.request, shape.response, shape.stream):
                for owner, field in all_fields(side.struct) if side is not None else ():
                    where = f"{shape.name}: {owner.__name__}.{field.name}"
                    assert field.default is None, where
                    assert type(None) in typing.get_args(field.type), where
                    assert all((typing.get_origin(m) or m) is not dict for m in leaves(field.type)), where

    def test_a_body_of_nothing_known_is_no_family_s(self):
        merged = merge_body_types(body_shapes(), every_response=ServiceFields)
        for shape in body_shapes():
            assert shape.request is None or not shape.request.accepts(merged.request())
            assert shape.response is None or not shape.response.accepts(merged.response())
            assert shape.stream is None or not shape.stream.accepts([merged.chunk()])


def leaves(kind):
    """The types that a union or list is made of."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType, list):
        return [leaf for part in typing.get_args(kind) for leaf in leaves(part)]
    return [kind]


def all_fields(kind):
    """Every field of a Struct and of the Structs below it, with its owner."""
    for field in msgspec.structs.fields(kind):
        yield kind, field
        for leaf in leaves(field.type):
            if isinstance(leaf, type) and issubclass(leaf, msgspec.Struct):
                yield from all_fields(leaf)


class TestMerging:
    def test_fields_of_all_families_are_there(self):
        merged = merged_request(struct("A", prompt=str), struct("B", message=str))
        body = decode(merged, b'{"prompt": "p", "message": "m", "other": 1}')
        assert (body.prompt, body.message) == ("p", "m")

    def test_absent_is_none(self):
        assert decode(merged_request(struct("A", prompt=str)), b"{}").prompt is None

    def test_scalars_become_a_union(self):
        merged = merged_request(struct("A", stop=str), struct("B", stop=list[str]), struct("C", stop=int))
        assert [
            decode(merged, text).stop for text in (b'{"stop":"a"}', b'{"stop":["a"]}', b'{"stop":1}')
        ] == [
            "a",
            ["a"],
            1,
        ]

    def test_a_type_that_nobody_declared_is_refused(self):
        merged = merged_request(struct("A", stop=str), struct("B", stop=list[str]))
        with pytest.raises(msgspec.ValidationError):
            decode(merged, b'{"stop": 1}')

    def test_structs_merge_at_every_level(self):
        merged = merged_request(
            struct("A", config=struct("AC", top=struct("AT", p=int))),
            struct("B", config=struct("BC", top=struct("BT", k=int), seed=int)),
        )
        config = decode(merged, b'{"config": {"top": {"p": 1, "k": 2}, "seed": 3}}').config
        assert (config.top.p, config.top.k, config.seed) == (1, 2, 3)

    def test_items_of_lists_merge(self):
        merged = merged_request(
            struct("A", messages=list[struct("AM", role=str)]),
            struct("B", messages=list[struct("BM", content=str)]),
        )
        (message,) = decode(merged, b'{"messages": [{"role": "r", "content": "c"}]}').messages
        assert (message.role, message.content) == ("r", "c")

    def test_three_families_merge_like_two(self):
        merged = merged_request(
            struct("A", content=str),
            struct("B", content=list[struct("BP", text=str)]),
            struct("C", content=struct("CO", text=str)),
            struct("D", content=list[struct("DP", type=str)]),
        )
        assert decode(merged, b'{"content": "c"}').content == "c"
        assert decode(merged, b'{"content": {"text": "c"}}').content.text == "c"
        (part,) = decode(merged, b'{"content": [{"text": "c", "type": "t"}]}').content
        assert (part.text, part.type) == ("c", "t")

    def test_every_response_and_chunk_has_the_service_s_own_fields(self):
        merged = merge_body_types(body_shapes(), every_response=ServiceFields)
        for kind in (merged.response, merged.chunk):
            assert decode(kind, b'{"amazon-bedrock-guardrailAction": "NONE"}').guardrail_action == "NONE"

    @pytest.mark.parametrize("value", [b'{"a": [1]}', b"[]", b'"text"', b"1.50", b"true", b"null"])
    def test_a_raw_member_takes_any_value_at_any_level(self, value):
        inner = struct("AI", raw=msgspec.Raw)
        merged = merged_request(
            struct("A", raw=msgspec.Raw, one=inner, many=list[inner]), struct("B", prompt=str)
        )
        body = decode(merged, b'{"raw":%b,"one":{"raw":%b},"many":[{"raw":%b}]}' % (value, value, value))
        assert [bytes(raw) for raw in (body.raw, body.one.raw, body.many[0].raw)] == [value] * 3
        assert decode(merged, b"{}").raw is None

    @pytest.mark.parametrize("raw_first", [True, False])
    def test_a_raw_value_cannot_be_typed_too(self, raw_first):
        structs = [struct("A", tools=msgspec.Raw), struct("B", tools=str)]
        with pytest.raises(TypeError, match=r"tools: a raw value cannot be typed too"):
            merged_request(*(structs if raw_first else reversed(structs)))

    def test_one_field_cannot_have_two_attributes(self):
        with pytest.raises(TypeError, match="'topP' is called 'top_p' elsewhere"):
            merged_request(struct("A", top_p=(float, "topP")), struct("B", nucleus=(float, "topP")))

    def test_two_fields_cannot_have_one_attribute(self):
        with pytest.raises(TypeError, match="'top_p' is the name of another field elsewhere"):
            merged_request(struct("A", top_p=(float, "topP")), struct("B", top_p=float))

    def test_that_holds_below_the_first_level_too(self):
        with pytest.raises(TypeError, match="'top_p' is the name of another field elsewhere"):
            merged_request(
                struct("A", config=struct("AC", top_p=(float, "topP"))),
                struct("B", config=struct("BC", top_p=float)),
            )
