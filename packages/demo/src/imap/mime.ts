/** One field of a header. */
interface HeaderField {
  readonly name: string;
  /** With its folding and its last line end. */
  readonly raw: string;
  /** Unfolded (RFC 5322 §2.2.3), encoded words left as they are. */
  readonly value: string;
}

/** A mail, or one part of a multipart. All text is Latin-1: one character is one byte. */
export interface MimePart {
  /** Up to and with the empty line. */
  readonly header: string;
  readonly fields: readonly HeaderField[];
  readonly body: string;
  /** In lower case: `text/plain`. */
  readonly type: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Empty but for `multipart/*`. */
  readonly parts: readonly MimePart[];
}

const DEEPEST = 10; // multiparts within multiparts

/** Takes a mail apart (RFC 5322, RFC 2045, RFC 2046). What is malformed comes out as one plain part. */
export function parseMime(raw: string, depth = 0): MimePart {
  const gap = raw.startsWith('\r\n') ? 0 : raw.indexOf('\r\n\r\n') + 2;
  const [header, body] = gap === 1 ? [raw, ''] : [raw.slice(0, gap + 2), raw.slice(gap + 2)];
  const fields = parseFields(header);
  const { value: type, parameters } = parseParameters(
    fieldValue({ fields }, 'content-type') ?? 'text/plain; charset=us-ascii',
  );
  const boundary = parameters.find(([name]) => name === 'boundary')?.[1];
  const parts =
    type.startsWith('multipart/') && boundary !== undefined && depth < DEEPEST
      ? splitAt(body, boundary).map((part) => parseMime(part, depth + 1))
      : [];
  return { header, fields, body, type: type.includes('/') ? type : 'text/plain', parameters, parts };
}

/** The first field of that name. */
export function fieldValue({ fields }: Pick<MimePart, 'fields'>, name: string): string | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase())?.value;
}

/** A value with its parameters, RFC 2045 §5.1: `text/plain; charset="utf-8"`. Both names come in lower case. */
export function parseParameters(text: string): Pick<MimePart, 'parameters'> & { readonly value: string } {
  const [value = '', ...rest] = text.split(/;(?=(?:[^"]*"[^"]*")*[^"]*$)/);
  const parameters = rest.flatMap((parameter) => {
    const match = /^\s*([^=\s]+)\s*=\s*(?:"(.*)"|(\S*))\s*$/.exec(parameter);
    return match === null ? [] : [[(match[1] ?? '').toLowerCase(), match[2] ?? match[3] ?? ''] as const];
  });
  return { value: value.trim().toLowerCase(), parameters };
}

function parseFields(header: string): HeaderField[] {
  return [...header.matchAll(/^([!-9;-~]+):(.*\r\n(?:[ \t].*\r\n)*)/gm)].map(([raw, name = '', value = '']) => ({
    name,
    raw,
    value: value.replaceAll('\r\n', '').trim(),
  }));
}

/** What is between the boundaries, RFC 2046 §5.1.1. The line end before a boundary belongs to the boundary. */
function splitAt(body: string, boundary: string): string[] {
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`).slice(1);
  const last = pieces.findIndex((piece) => piece.startsWith('--'));
  return pieces.slice(0, last === -1 ? undefined : last).map((piece) => piece.replace(/^[ \t]*\r\n/, ''));
}
