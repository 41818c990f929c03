const LONGEST = 2000;

/**
 * Text from the other side made safe to show on a terminal: control characters (C0, DEL, C1) and bidirectional
 * overrides become visible escapes, line ends and tabs become blanks, overlong text is cut.
 */
export function sanitize(text: string): string {
  const flat = text.replace(/[\t\r\n\u2028\u2029]+/g, ' ').trim();
  const cut = flat.length > LONGEST ? `${flat.slice(0, LONGEST)}…` : flat;
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`;
}
