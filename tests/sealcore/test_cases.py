"""Every decision of docs/canonical-json.md, case by case: accepted with its canonical bytes, or refused with its offset.

The names of RFC 8259 cases follow the habit of JSON test suites: y_ must be accepted, n_ must be refused, i_ is for the
implementation to decide, and the page says how.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from eseal import sealcore

PAGE = Path(__file__).resolve().parents[2] / "docs/canonical-json.md"

REFUSED = {
    # RFC 8259 sections 2 and 3: the structure
    "n_nothing": (b"", 0, "ends before"),
    "n_white_space_only": (b" \n", 2, "ends before"),
    "n_object_unclosed": (b'{"a":1', 6, "ends before"),
    "n_array_unclosed": (b"[1,", 3, "ends before"),
    "n_string_unclosed": (b'"abc', 4, "ends before"),
    "n_array_trailing_comma": (b"[1,]", 3, "value is expected"),
    "n_array_leading_comma": (b"[,1]", 1, "value is expected"),
    "n_array_two_commas": (b"[1,,2]", 3, "value is expected"),
    "n_array_no_comma": (b"[1 2]", 3, "comma or a closing bracket"),
    "n_array_colon": (b'["a":1]', 4, "comma or a closing bracket"),
    "n_array_closed_by_brace": (b"[1}", 2, "comma or a closing bracket"),
    "n_object_trailing_comma": (b'{"a":1,}', 7, "member name"),
    "n_object_leading_comma": (b'{,"a":1}', 1, "member name"),
    "n_object_no_comma": (b'{"a":1 "b":2}', 7, "comma or a closing brace"),
    "n_object_no_colon": (b'{"a" 1}', 5, "colon"),
    "n_object_two_colons": (b'{"a"::1}', 5, "value is expected"),
    "n_object_no_value": (b'{"a":}', 5, "value is expected"),
    "n_object_name_unquoted": (b"{a:1}", 1, "member name"),
    "n_object_name_single_quotes": (b"{'a':1}", 1, "member name"),
    "n_object_name_number": (b"{1:1}", 1, "member name"),
    "n_object_closed_by_bracket": (b'{"a":1]', 6, "comma or a closing brace"),
    "n_trailing_bytes": (b"{} x", 3, "follow the end"),
    "n_trailing_bracket": (b"[]]", 2, "follow the end"),
    "n_two_values": (b"1 2", 2, "follow the end"),
    "n_trailing_nul": (b"[]\x00", 2, "follow the end"),
    "n_comment": (b"[1/* x */]", 2, "comma or a closing bracket"),
    "n_comment_line": (b"// x\n[]", 0, "value is expected"),
    "n_white_space_form_feed": (b"[\x0c]", 1, "value is expected"),
    "n_white_space_no_break": ("[\u00a0]".encode(), 1, "value is expected"),
    "n_literal_capitals": (b"[True]", 1, "value is expected"),
    "n_literal_cut": (b"[tru]", 4, "value is expected"),
    "n_literal_cut_at_end": (b"nul", 3, "ends before"),
    "n_literal_longer": (b"[nullx]", 5, "comma or a closing bracket"),
    "n_single_quotes": (b"['a']", 1, "value is expected"),
    # RFC 8259 section 6: numbers
    "n_number_leading_zero": (b"[01]", 1, "leading zero"),
    "n_number_minus_leading_zero": (b"[-01]", 2, "leading zero"),
    "n_number_two_zeros": (b"[00]", 1, "leading zero"),
    "n_number_plus": (b"[+1]", 1, "value is expected"),
    "n_number_point_first": (b"[.5]", 1, "value is expected"),
    "n_number_point_last": (b"[1.]", 3, "not a number"),
    "n_number_point_exponent": (b"[1.e5]", 3, "not a number"),
    "n_number_minus_alone": (b"[-]", 2, "not a number"),
    "n_number_two_minus": (b"[--1]", 2, "not a number"),
    "n_number_exponent_empty": (b"[1e]", 3, "not a number"),
    "n_number_exponent_sign_only": (b"[1e+]", 4, "not a number"),
    "n_number_two_points": (b"[1.2.3]", 4, "comma or a closing bracket"),
    "n_number_hexadecimal": (b"[0x1]", 2, "comma or a closing bracket"),
    "n_number_underscore": (b"[1_000]", 2, "comma or a closing bracket"),
    "n_number_full_width_digit": ("[１]".encode(), 1, "value is expected"),
    "n_number_nan": (b"[NaN]", 1, "NaN and infinities"),
    "n_number_minus_nan": (b"[-NaN]", 1, "NaN and infinities"),
    "n_number_infinity": (b"[Infinity]", 1, "NaN and infinities"),
    "n_number_minus_infinity": (b"[-Infinity]", 1, "NaN and infinities"),
    # RFC 7493 section 2.2: what a double holds
    "i_number_overflow": (b"[1E400]", 1, "larger than any"),
    "i_number_minus_overflow": (b"[-1e309]", 1, "larger than any"),
    "i_number_overflow_without_exponent": (b"[1" + b"0" * 400 + b"]", 1, "larger than any"),
    "i_integer_2_53_plus_1": (b"[9007199254740993]", 1, "exactly"),
    "i_integer_minus_2_53_minus_1": (b"[-9007199254740993]", 1, "exactly"),
    "i_integer_2_63_minus_1": (b"[9223372036854775807]", 1, "exactly"),
    "i_integer_long": (b"[100000000000000000001]", 1, "exactly"),
    # RFC 8259 section 7: strings
    "n_string_control_character": (b'["\x01"]', 2, "control character"),
    "n_string_newline": (b'["a\nb"]', 3, "control character"),
    "n_string_tab": (b'["\t"]', 2, "control character"),
    "n_string_nul": (b'["\x00"]', 2, "control character"),
    "n_name_control_character": (b'{"\x1f":1}', 2, "control character"),
    "n_string_escape_unknown": (b'["\\x41"]', 2, "escape sequence"),
    "n_string_escape_capital_u": (b'["\\U00e9"]', 2, "escape sequence"),
    "n_string_escape_short": (b'["\\u00e"]', 2, "escape sequence"),
    "n_string_escape_not_hexadecimal": (b'["\\u00eg"]', 2, "escape sequence"),
    "n_string_escape_sign": (b'["\\u+0e9"]', 2, "escape sequence"),
    "n_string_escape_at_end": (b'"\\', 1, "escape sequence"),
    "n_string_escaped_quote_at_end": (b'"\\"', 3, "ends before"),
    # RFC 7493 section 2.1: Unicode
    "i_surrogate_high_escaped": (b'["\\ud800"]', 2, "surrogate"),
    "i_surrogate_low_escaped": (b'["\\udc00"]', 2, "surrogate"),
    "i_surrogates_swapped": (b'["\\udc00\\ud800"]', 2, "surrogate"),
    "i_surrogate_high_twice": (b'["\\ud800\\ud800"]', 2, "surrogate"),
    "i_surrogate_high_and_letter": (b'["\\ud800\\u0061"]', 2, "surrogate"),
    "i_surrogate_in_name": (b'{"\\udfff":1}', 2, "surrogate"),
    "i_surrogate_raw": (b'["\xed\xa0\x80"]', 2, "UTF-8"),
    "i_surrogate_pair_raw": (b'["\xed\xa0\xbd\xed\xb8\x80"]', 2, "UTF-8"),
    # RFC 8259 section 8.1: UTF-8
    "i_utf8_overlong_two": (b'["\xc0\xaf"]', 2, "UTF-8"),
    "i_utf8_overlong_three": (b'["\xe0\x80\xaf"]', 2, "UTF-8"),
    "i_utf8_overlong_four": (b'["\xf0\x80\x80\xaf"]', 2, "UTF-8"),
    "i_utf8_overlong_nul": (b'["\xc0\x80"]', 2, "UTF-8"),
    "i_utf8_continuation_alone": (b'["\x80"]', 2, "UTF-8"),
    "i_utf8_cut": (b'["\xe2\x82"]', 2, "UTF-8"),
    "i_utf8_cut_at_end": (b'["\xe2\x82', 2, "UTF-8"),
    "i_utf8_beyond_unicode": (b'["\xf4\x90\x80\x80"]', 2, "UTF-8"),
    "i_utf8_five_bytes": (b'["\xf8\x88\x80\x80\x80"]', 2, "UTF-8"),
    "i_utf8_byte_ff": (b'["\xff"]', 2, "UTF-8"),
    "i_utf8_latin_1": (b'["\xe9"]', 2, "UTF-8"),
    "i_utf8_outside_strings": (b"[1\xff]", 2, "UTF-8"),
    "n_syntax_before_bad_utf8": (b'[1 2,"\xff"]', 3, "comma or a closing bracket"),
    "n_utf16": ("[]".encode("utf-16-be"), 0, "value is expected"),
    "i_byte_order_mark": (b"\xef\xbb\xbf{}", 0, "byte order mark"),
    "n_byte_order_mark_inside": (b"[\xef\xbb\xbf]", 1, "value is expected"),
    # RFC 7493 section 2.3: names
    "i_name_twice": (b'{"a":1,"a":1}', 7, "name already"),
    "i_name_twice_escaped": (b'{"a":1,"\\u0061":2}', 7, "name already"),
    "i_name_twice_both_escaped": (b'{"\\u0061":1,"\\u0061":2}', 12, "name already"),
    "i_name_twice_apart": (b'{"a":1,"b":2,"c":3,"a":4}', 19, "name already"),
    "i_name_twice_empty": (b'{"":1,"":2}', 6, "name already"),
    "i_name_twice_surrogate_pair": ('{"\U0001f600":1,"\\ud83d\\ude00":2}'.encode(), 10, "name already"),
    "i_name_twice_deep": (b'[{"x":[{"a":1,"a":2}]}]', 14, "name already"),
    # RFC 8259 section 9: limits
    "i_nesting_arrays": (b"[" * 129 + b"]" * 129, 128, "nested deeper"),
    "i_nesting_objects": (b'{"a":' * 129 + b"1" + b"}" * 129, 128 * 5, "nested deeper"),
    "i_nesting_unclosed": (b"[" * 100_000, 128, "nested deeper"),
}
ACCEPTED = {
    "y_white_space": (b" \t\r\n{ \t\r\n} \t\r\n", b"{}"),
    "y_white_space_everywhere": (b' { "a" : [ 1 , 2 ] , "b" : { } } ', b'{"a":[1,2],"b":{}}'),
    "y_top_string": (b'"x"', b'"x"'),
    "y_top_number": (b"1", b"1"),
    "y_top_null": (b"null", b"null"),
    "y_top_literal": (b" true ", b"true"),
    "y_name_empty": (b'{"":0}', b'{"":0}'),
    "y_names_that_differ_in_case": (b'{"b":1,"A":2,"a":3,"B":4}', b'{"A":2,"B":4,"a":3,"b":1}'),
    "y_names_that_normalise_alike": ('{"\u00e9":1,"e\u0301":2}'.encode(), '{"e\u0301":2,"\u00e9":1}'.encode()),
    "y_escapes": (rb'["\"\\\/\b\f\n\r\t"]', rb'["\"\\/\b\f\n\r\t"]'),
    "y_escapes_fewest": (rb'["\u0022\u005c\u002f\u0008\u000C\u000a\u000D\u0009"]', rb'["\"\\/\b\f\n\r\t"]'),
    "y_escapes_lower_case": (rb'["\u0000\u001F\u007f"]', b'["\\u0000\\u001f\x7f"]'),
    "y_escape_of_ascii": (rb'["\u0041\u00e9\u20AC"]', '["Aé€"]'.encode()),
    "y_escaped_surrogate_pair": (rb'["\ud83d\ude00\uD834\uDD1E"]', '["\U0001f600\U0001d11e"]'.encode()),
    "y_escaped_backslash_u": (rb'["\\u0061"]', rb'["\\u0061"]'),
    "y_line_separators": ('["\u2028\u2029\u0085"]'.encode(), '["\u2028\u2029\u0085"]'.encode()),
    "y_noncharacters": (
        '["\uffff\ufdd0\U0010ffff\\uFFFE"]'.encode(),
        '["\uffff\ufdd0\U0010ffff\ufffe"]'.encode(),
    ),
    "y_byte_order_mark_in_string": ('["\ufeff"]'.encode(), '["\ufeff"]'.encode()),
    "y_not_normalised": ('["e\u0301\u00e9"]'.encode(), '["e\u0301\u00e9"]'.encode()),
    "y_minus_zero": (b"[-0,-0.0,0e0,-0E-5]", b"[0,0,0,0]"),
    "y_zero_exponent_with_zeros": (b"[0e00,1E+02,1e-02]", b"[0,100,0.01]"),
    "y_fraction_trailing_zeros": (b"[1.0,1.50,0.10]", b"[1,1.5,0.1]"),
    "y_underflow": (b"[1e-400,-1e-400]", b"[0,0]"),
    "y_subnormal": (b"[5e-324,2.5e-324,4.9E-324]", b"[5e-324,5e-324,5e-324]"),
    "y_largest": (
        b"[1.7976931348623157e308,1.7976931348623158e308]",
        b"[1.7976931348623157e+308,1.7976931348623157e+308]",
    ),
    "y_more_decimals_than_a_double_holds": (b"[0.1234567890123456789012]", b"[0.12345678901234568]"),
    "y_fraction_beyond_2_53": (b"[9007199254740993.0,9007199254740993e0]", b"[9007199254740992,9007199254740992]"),
    "y_integer_2_53": (b"[9007199254740992,-9007199254740992]", b"[9007199254740992,-9007199254740992]"),
    "y_integer_exact_beyond_2_53": (
        b"[9007199254740994,1152921504606846976]",
        b"[9007199254740994,1152921504606847000]",
    ),
    "y_integer_as_ecmascript_writes_it": (b"[1152921504606847000]", b"[1152921504606847000]"),
    "y_integer_long_and_exact": (b"[100000000000000000000,1" + b"0" * 22 + b"]", b"[100000000000000000000,1e+22]"),
    "y_layout_borders": (
        b"[1e21,1e20,123456789012345680000.0,1e-6,1e-7,0.00000123]",
        b"[1e+21,100000000000000000000,123456789012345680000,0.000001,1e-7,0.00000123]",
    ),
    "y_nesting_128": (b"[" * 128 + b"]" * 128, b"[" * 128 + b"]" * 128),
    "y_order_of_rfc_8785_section_3_2_3": (
        (
            rb'{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
            rb'"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}'
        ),
        '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",'
        '"€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'.encode(),
    ),
    "y_sample_of_rfc_8785_section_3_2_2": (
        rb"""{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
               "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }""",
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode(),
    ),
    "y_order_by_prefix": (
        b'{"abcdefgh":1,"abcdefg":2,"abcdefghi":3,"a":4,"":5}',
        b'{"":5,"a":4,"abcdefg":2,"abcdefgh":1,"abcdefghi":3}',
    ),
    "y_order_nul_in_name": (rb'{"a\u0000":1,"a":2}', rb'{"a":2,"a\u0000":1}'),
    "y_order_surrogates_below_private_use": (
        '{"\ue000":1,"\U00010000":2,"\uffff":3,"\ud7ff":4}'.encode(),
        '{"\ud7ff":4,"\U00010000":2,"\ue000":1,"\uffff":3}'.encode(),
    ),
    "y_order_surrogates_after_eight_bytes": (
        '{"prefixed\ue000":1,"prefixed\U0010ffff":2}'.encode(),
        '{"prefixed\U0010ffff":2,"prefixed\ue000":1}'.encode(),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """Refused at the byte where it shows, with a sentence that tells what to mend; both readers say the same."""
    text, offset, sentence = REFUSED[name]
    said = set()
    for read in (sealcore.canonicalize, sealcore.Document.parse):
        with pytest.raises(sealcore.InvalidJson, match=sentence) as caught:
            read(text)
        assert offset == caught.value.offset
        said.add(str(caught.value))

    assert {f"byte {offset}: "} == {sentence[: len(f"byte {offset}: ")] for sentence in said}
    assert 1 == len(said)


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    """Accepted, with the canonical bytes of RFC 8785, which are their own canonical form and say the same."""
    text, canonical = ACCEPTED[name]

    assert canonical == sealcore.canonicalize(text) == sealcore.Document.parse(text).canonical()
    assert canonical == sealcore.canonicalize(canonical)
    assert json.loads(text, parse_int=float) == json.loads(canonical, parse_int=float)


def test_size_limit() -> None:
    """A text beyond the caller's limit is refused at the first byte too many; no caller may ask for more than 512 MiB."""
    assert b"[]" == sealcore.Document.parse(b"[]", max_bytes=2).canonical()
    with pytest.raises(sealcore.InvalidJson, match="larger than the limit") as caught:
        sealcore.Document.parse(b"[1]", max_bytes=2)
    assert 2 == caught.value.offset
    with pytest.raises(ValueError, match="at most"):
        sealcore.Document.parse(b"[]", max_bytes=1 << 30)


def test_depth_limit_of_the_caller() -> None:
    """A caller may allow less or more nesting than 128, up to 512."""
    with pytest.raises(sealcore.InvalidJson, match="nested deeper") as caught:
        sealcore.Document.parse(b"[[]]", max_depth=1)
    assert 1 == caught.value.offset
    assert 1024 == len(sealcore.Document.parse(b"[" * 512 + b"]" * 512, max_depth=512).canonical())
    with pytest.raises(ValueError, match="at most"):
        sealcore.Document.parse(b"[]", max_depth=513)


def test_the_page_decides_each_case() -> None:
    """docs/canonical-json.md names every case of this file once, and no other."""
    named = re.findall(r"`([niy]_\w+)`", PAGE.read_text())

    assert sorted([*REFUSED, *ACCEPTED]) == sorted(named)
