/** ISO 3166-1, the officially assigned alpha-2 codes. The list has changed last in 2011, so it needs no package. */
const ASSIGNED = `
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ
  BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
  CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ
  DE DJ DK DM DO DZ
  EC EE EG EH ER ES ET
  FI FJ FK FM FO FR
  GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY
  HK HM HN HR HT HU
  ID IE IL IM IN IO IQ IR IS IT
  JE JM JO JP
  KE KG KH KI KM KN KP KR KW KY KZ
  LA LB LC LI LK LR LS LT LU LV LY
  MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ
  NA NC NE NF NG NI NL NO NP NR NU NZ
  OM
  PA PE PF PG PH PK PL PM PN PR PS PT PW PY
  QA
  RE RO RS RU RW
  SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ
  TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
  UA UG UM US UY UZ
  VA VC VE VG VI VN VU
  WF WS
  YE YT
  ZA ZM ZW
`;

/**
 * What Cloudflare says beside them: XK for Kosovo, which the standard leaves to its users; T1 for the network of Tor; XX for an
 * address of which no country is known.
 */
const OTHERS = ["XK", "T1", "XX"];

const COUNTRIES = ASSIGNED.trim().split(/\s+/);
const CODES = new Set([...COUNTRIES, ...OTHERS]);

/** Whether this is the code of a country, or one of those that stand in for one. */
export const isCountry = (text: string): boolean => CODES.has(text);

/** Codes that people write for others: both are reserved in the standard so that nobody else gets them. */
const COMMON: Readonly<Record<string, string>> = { UK: "GB", EL: "GR" };

/** The code that was meant by one in small letters, a common one that is none, or the English name of a country. */
export const countryMeant = (text: string): string | undefined => {
  const upper = text.trim().toUpperCase();
  const code = Object.hasOwn(COMMON, upper) ? COMMON[upper]! : upper;
  if (CODES.has(code)) return code;
  const names = new Intl.DisplayNames("en", { type: "region" });
  return COUNTRIES.find((candidate) => names.of(candidate)?.toUpperCase() === upper);
};
