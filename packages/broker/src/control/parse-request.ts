import { broken } from './read-line.ts';
import { type ControlRequest, controlVersion, type LeaseRequest } from './requests.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the line that a client asks by. Fields that are not known are left out.
 *
 * @throws ViasshError BROKER_PROTOCOL
 */
export function parseRequest(line: string): ControlRequest {
  const fields = parseFields(line);
  const { version } = fields;
  if (version !== controlVersion) throw broken(`this broker speaks version ${controlVersion}, and not ${say(version)}`);
  const { ask } = fields;
  switch (ask) {
    case 'status':
    case 'reload':
    case 'stop':
      return { version, ask };
    case 'up':
    case 'down':
    case 'retry':
      return { version, ask, names: words(fields, 'names') };
    case 'logs':
      return {
        version,
        ask,
        name: fields['name'] === undefined ? undefined : word(fields, 'name'),
        follow: fields['follow'] === true,
      };
    case 'lease':
      return { version, ...parseLease(fields) };
    default:
      throw broken(`nobody knows what ${say(ask)} asks for`);
  }
}

function parseLease(fields: Fields): LeaseRequest {
  return {
    ask: 'lease',
    key: word(fields, 'key'),
    destination: word(fields, 'destination'),
    ssh: words(fields, 'ssh'),
    transport: word(fields, 'transport'),
  };
}

/** One JSON object. @throws ViasshError BROKER_PROTOCOL */
export function parseFields(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw broken('a line came that is no JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken('a line came that is no object');
  return value as Fields;
}

function word(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw broken(`the field ${name} of a request is no text`);
}

function words(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw broken(`the field ${name} of a request is no list of texts`);
}

function say(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 40);
}
