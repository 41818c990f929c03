/** `NIL`, a quoted string, or a literal where a quoted one cannot hold it (RFC 3501 §4.3). Text is Latin-1. */
export function nstring(text: string | undefined): string {
  if (text === undefined) return 'NIL';
  return /^[\x20-\x7e]{0,200}$/.test(text) ? quoted(text) : literal(text);
}

/** `{5}` and the bytes. */
export function literal(text: string): string {
  return `{${text.length}}\r\n${text}`;
}

/** In quotes, for text without line ends. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `(a b c)` */
export function list(items: Iterable<string>): string {
  return `(${[...items].join(' ')})`;
}

/** RFC 3501 §9 `date-time`, in UTC: `" 2-Mar-2026 08:15:00 +0000"`. */
export function dateTime(date: Date): string {
  const time = date.toISOString().slice(11, 19);
  return `"${String(date.getUTCDate()).padStart(2)}-${monthNames[date.getUTCMonth()]}-${date.getUTCFullYear()} ${time} +0000"`;
}

/** The start of a day named as `2-Mar-2026`, in milliseconds; NaN when it is none. */
export function parseDay(text: string): number {
  const [day, month, year] = text.split('-');
  const index = monthNames.findIndex((name) => name.toLowerCase() === month?.toLowerCase());
  return index === -1 ? Number.NaN : Date.UTC(Number(year), index, Number(day));
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
