import {
  isByte,
  isDate,
  isDateTime,
  isDuration,
  isEmail,
  isFloat,
  isHostname,
  isInt32,
  isInt64,
  isIpv4,
  isIpv6,
  isJsonPointer,
  isRelativeJsonPointer,
  isTime,
  isUri,
  isUriReference,
  isUriTemplate,
  isUuid,
} from "../../lib/json-schema/formats.ts";

/** Formats of texts that are checked, by name; others are annotations. */
export const TEXT_FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  byte: isByte,
  date: isDate,
  "date-time": isDateTime,
  duration: isDuration,
  email: isEmail,
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
  "json-pointer": isJsonPointer,
  "relative-json-pointer": isRelativeJsonPointer,
  time: isTime,
  uri: isUri,
  "uri-reference": isUriReference,
  "uri-template": isUriTemplate,
  uuid: isUuid,
};

/** Formats of numbers that are checked, by name. */
export const NUMBER_FORMATS: Readonly<Record<string, (value: number) => boolean>> = {
  float: isFloat,
  int32: isInt32,
  int64: isInt64,
};
