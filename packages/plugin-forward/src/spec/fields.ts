/** One part of a forward as ssh writes it. */
export interface Field {
  readonly text: string;
  /** It has a slash: the path of a Unix socket. */
  readonly isPath: boolean;
}

/**
 * Takes a forward apart as readconf.c does (parse_fwd_field): parts between colons; one in brackets is taken as it is, a
 * backslash takes the next character as it is. Undefined when a bracket is not closed, or closed in the middle of a part.
 */
export function fieldsOf(text: string): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; ; at += 1) {
    const [end, field] = text[at] === '[' ? bracketed(text, at) : plain(text, at);
    if (field === undefined) return undefined;
    fields.push({ text: field, isPath: field.includes('/') });
    if (end >= text.length) return fields;
    at = end;
  }
}

function bracketed(text: string, start: number): [end: number, field: string | undefined] {
  const close = text.indexOf(']', start);
  const end = close + 1;
  if (close < 0 || (end < text.length && text[end] !== ':')) return [text.length, undefined];
  return [end, text.slice(start + 1, close)];
}

function plain(text: string, start: number): [end: number, field: string | undefined] {
  let field = '';
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === ':') return [at, field];
    if (text[at] === '\\') {
      at += 1;
      if (at === text.length) return [at, undefined];
    }
    field += text[at] ?? '';
  }
  return [text.length, field];
}
