/** The part of JSON Schema (draft-07) that config.yaml is described in. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
}

const longestTimer = 2_000_000; // seconds that a timer can hold
const strings: JsonSchema = { type: 'array', items: { type: ['string', 'number'] } };

const probe: JsonSchema = {
  type: 'object',
  description: 'looks from end to end whether the tunnel works, while its connection is up',
  required: ['kind'],
  additionalProperties: false,
  properties: {
    kind: {
      enum: ['banner', 'http', 'imap', 'command'],
      description:
        'banner: bytes come by themselves; http: an answer below 500; imap: a greeting, then NOOP; command: its exit status on the far end is 0',
    },
    every: {
      type: 'number',
      minimum: 1,
      maximum: longestTimer,
      default: 60,
      description: 'seconds from one probe to the next',
    },
    timeout: {
      type: 'number',
      minimum: 0.01,
      maximum: longestTimer,
      default: 10,
      description: 'seconds that an answer may take',
    },
    command: { type: 'string', minLength: 1, description: 'of kind command: for the shell of the far end' },
  },
};

const tunnel = {
  type: 'object',
  description: 'a plugin with its options, and the destination that it goes through',
  required: ['via'],
  properties: {
    via: { type: 'string', minLength: 1, description: '[user@]host[:port], or a Host of ssh_config' },
    ssh: { ...strings, default: [], description: 'options of ssh for this destination, as typed: [-i, FILE]' },
    plugin: {
      type: 'string',
      minLength: 1,
      description: 'the plugin, or pipe: each client gets a run of command on the far end',
    },
    forward: {
      enum: ['local', 'remote', 'dynamic', 'http'],
      description:
        'in place of plugin; local: from listen here, dialled from there; remote: from listen there, dialled from here; dynamic: SOCKS here; http: HTTP CONNECT here',
    },
    listen: {
      type: ['string', 'number'],
      description: 'where clients come: [HOST:]PORT, or unix:PATH; a relative PATH is in the runtime folder',
    },
    to: { type: ['string', 'number'], description: '[HOST:]PORT or unix:PATH: what the other end dials' },
    command: { type: 'string', minLength: 1, description: 'what runs on the far end, for its shell' },
    words: { ...strings, default: [], description: 'what stands behind -- on a command line' },
    keepalive: {
      type: 'integer',
      minimum: 0,
      maximum: longestTimer,
      description:
        'ServerAliveInterval in seconds; 0: none on purpose, and a link that was silent for any time goes on (default: ssh_config, else that of the plugin)',
    },
    lazy: {
      type: 'boolean',
      description: 'connects when somebody first needs it (default: true where it listens on this machine alone)',
    },
    manual: { type: 'boolean', default: false, description: 'not started by `viassh up` without names' },
    wait: {
      type: 'number',
      minimum: 0,
      maximum: longestTimer,
      default: 30,
      description: 'seconds that a client waits for the connection while it is down; 0: turned away at once',
    },
    probe,
  },
  additionalProperties: { type: ['string', 'number', 'boolean', 'array'], items: { type: ['string', 'number'] } },
} satisfies JsonSchema;

/** `config.schema.json`: the form of config.yaml (JSON Schema draft-07). Keys of a tunnel beside these are options of its plugin. */
export const configSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'https://unpkg.com/@viassh/broker/config.schema.json',
  title: 'config.yaml of viassh',
  type: ['object', 'null'],
  additionalProperties: false,
  properties: {
    share: {
      enum: ['yes', 'no', 'auto'],
      default: 'yes',
      description:
        "may one-shot commands ride on the broker's connections? auto: they start a broker themselves, which ends when it is idle",
    },
    idle: {
      type: 'number',
      minimum: 0,
      maximum: longestTimer,
      default: 600,
      description: 'seconds without a channel after which a connection that no tunnel keeps up is closed; 0: never',
    },
    metrics: {
      type: ['string', 'number'],
      description: 'where Prometheus may read: unix:PATH, or [HOST:]PORT on loopback',
    },
    tunnels: {
      type: ['object', 'null'],
      description: 'the tunnels by name',
      propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
      additionalProperties: tunnel,
    },
  },
};

/** The keys of a tunnel that are not options of its plugin, or may be both. */
export const tunnelKeys: readonly string[] = Object.keys(tunnel.properties);
