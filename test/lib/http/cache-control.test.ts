import { describe, expect, it } from "vitest";
import { fieldsOf, parseDirectives, secondsOf } from "../../../src/lib/http/cache-control.ts";

describe("max-age in Cache-Control (RFC 9111 sections 4.2.1 and 5.2)", () => {
  it.each<[string, string, number | undefined]>([
    ["plain", "max-age=3600", 3600],
    ["in any case", "MaX-aGe=3600", 3600],
    ["with leading zeros", "max-age=003600", 3600],
    ["quoted", 'max-age="3600"', 3600],
    ["quoted with an escape", 'max-age="36\\00"', 3600],
    ["after an unknown directive", "foobar, max-age=3600", 3600],
    ["after empty members", ", ,\t, max-age=3600,", 3600],
    ["more than anybody can count to", "max-age=99999999999", 2147483648],
    ["absent", "public", undefined],
    ["of an empty field", "", undefined],
    ["of a longer name", "x-max-age=3600", undefined],
    ["in single quotes is no number", "max-age='3600'", 0],
    ["with a letter before it", "max-age=a3600", 0],
    ["with a letter after it", "max-age=3600a", 0],
    ["with a fraction", "max-age=3600.0", 0],
    ["negative", "max-age=-3600", 0],
    ["without a number", "max-age", 0],
    ["with nothing after the sign", "max-age=", 0],
    ["with a blank before the sign", "max-age =3600", 0],
    ["with a blank after the sign", "max-age= 3600", 0],
    ["with text after the quotes", 'max-age="3600"x', 0],
    ["twice the same", "max-age=3600, max-age=3600", 3600],
    ["twice, and the second is shorter", "max-age=1800, max-age=1", 0],
    ["twice, and the first is shorter", "max-age=1, max-age=1800", 0],
    ["only inside another's quotes, before", 'extension="max-age=3600", max-age=1', 1],
    ["only inside another's quotes, after", 'max-age=1, extension="max-age=3600"', 1],
    ["after quotes with an escaped quote in them", 'extension="a\\", max-age=1", max-age=5', 5],
    ["after a semicolon", "public; max-age=60", 60],
    ["before a semicolon", "max-age=60; public", 0],
  ])("%s: %s", (_sentence, field, seconds) => {
    expect(secondsOf(parseDirectives(field), "max-age")).toBe(seconds);
  });
});

describe("a restriction is not lost in a field that is not well formed", () => {
  it.each([
    ["in any case", "No-StOrE"],
    ["with an argument", "no-store=1"],
    ["with a quoted argument", 'no-store="x"'],
    ["after a semicolon", "max-age=60; no-store"],
    ["after a quote that never closes", 'foo="bar, no-store'],
    ["with blanks before the sign", "no-store =x"],
    ["on another line", "max-age=60, no-store"],
  ])("%s: %s", (_sentence, field) => {
    expect(parseDirectives(field).has("no-store")).toBe(true);
  });
});

describe("the fields that private and no-cache are limited to (RFC 9111 sections 5.2.2.4 and 5.2.2.7)", () => {
  it.each<[string, string, readonly string[] | "all" | undefined]>([
    ["absent", "max-age=1", undefined],
    ["without argument", "private", "all"],
    ["one field", 'private="Set-Cookie"', ["set-cookie"]],
    ["several fields", 'private="a, B"', ["a", "b"]],
    ["limited once and unlimited once", 'private="a", private', "all"],
    ["limited twice", 'private="a", private="b"', ["a", "b"]],
    ["a token is not taken for a list", "private=a", "all"],
    ["an empty list", 'private=""', "all"],
    ["a list of what are no names", 'private="a b"', "all"],
    ["quotes that never close", 'private="a, max-age=10', "all"],
    ["text after the quotes", 'private="a"b', "all"],
  ])("%s: %s", (_sentence, field, fields) => {
    expect(fieldsOf(parseDirectives(field), "private")).toEqual(fields);
  });
});
