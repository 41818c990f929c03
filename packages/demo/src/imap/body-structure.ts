import { list, nstring, quoted } from './format.ts';
import { fieldValue, type MimePart, parseParameters } from './mime.ts';

/** BODYSTRUCTURE, or BODY without the `extended` fields (RFC 3501 §7.4.2). */
export function bodyStructure(part: MimePart, extended: boolean): string {
  const [type = '', subtype = ''] = part.type.toUpperCase().split('/');
  if (part.parts.length > 0) {
    const inner = part.parts.map((child) => bodyStructure(child, extended)).join('');
    const extension = extended ? ` ${parameterList(part.parameters)} ${disposition(part)} NIL NIL` : '';
    return `(${inner} ${quoted(subtype)}${extension})`;
  }
  return list([
    nstring(type),
    nstring(subtype),
    parameterList(part.parameters),
    nstring(fieldValue(part, 'content-id')),
    nstring(fieldValue(part, 'content-description')),
    nstring((fieldValue(part, 'content-transfer-encoding') ?? '7bit').toUpperCase()),
    String(part.body.length),
    ...(type === 'TEXT' ? [String(part.body.split('\r\n').length - 1)] : []),
    ...(extended ? ['NIL', disposition(part), 'NIL', 'NIL'] : []),
  ]);
}

function disposition(part: MimePart): string {
  const text = fieldValue(part, 'content-disposition');
  if (text === undefined) return 'NIL';
  const { value, parameters } = parseParameters(text);
  return list([nstring(value.toUpperCase()), parameterList(parameters)]);
}

function parameterList(parameters: MimePart['parameters']): string {
  return parameters.length === 0
    ? 'NIL'
    : list(parameters.flatMap(([name, value]) => [nstring(name.toUpperCase()), nstring(value)]));
}
