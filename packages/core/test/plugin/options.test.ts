import t from 'tap';
import { optionFlag, parseOptions } from '@viassh/core';

const table = {
  command: { type: 'string', summary: 'what runs', valueName: 'COMMAND', default: 'imapd' },
  listen: { type: 'string', summary: 'where', valueName: 'NEAR' },
  greetingTimeout: { type: 'number', summary: 'how long', valueName: 'SECONDS', default: 30, min: 1, max: 3600 },
  retries: { type: 'number', summary: 'how often', valueName: 'COUNT' },
  orLocal: { type: 'boolean', summary: 'here first' },
} as const;

t.test('nothing given: defaults, undefined, false', async (t) => {
  t.same(parseOptions(table, {}), {
    command: 'imapd',
    listen: undefined,
    greetingTimeout: 30,
    retries: undefined,
    orLocal: false,
    words: [],
  });
});

t.test('what is given is taken, numbers also as text', async (t) => {
  const raw = { command: 'x', listen: 'unix:/s', greetingTimeout: '5', retries: 0, orLocal: true };
  t.same(parseOptions(table, raw, ['a', 'b']), { ...raw, greetingTimeout: 5, words: ['a', 'b'] });
});

const refused: readonly [raw: Record<string, unknown>, message: RegExp][] = [
  [{ nonsense: 1 }, /^there is no option --nonsense$/],
  [{ toString: 'x' }, /^there is no option --to-string$/],
  [{ command: '' }, /--command wants a COMMAND/],
  [{ command: 5 }, /--command wants a COMMAND/],
  [{ command: ['a', 'b'] }, /--command wants a COMMAND/],
  [{ command: true }, /--command wants a COMMAND/],
  [{ orLocal: 'yes' }, /--or-local takes no value/],
  [{ greetingTimeout: 0 }, /--greeting-timeout wants a number from 1 to 3600, not '0'/],
  [{ greetingTimeout: 3601 }, /from 1 to 3600/],
  [{ greetingTimeout: 'soon' }, /not 'soon'/],
  [{ greetingTimeout: '' }, /--greeting-timeout/],
  [{ greetingTimeout: ' ' }, /--greeting-timeout/],
  [{ greetingTimeout: true }, /--greeting-timeout/],
  [{ greetingTimeout: null }, /--greeting-timeout/],
  [{ greetingTimeout: [5] }, /--greeting-timeout/],
  [{ retries: Number.NaN }, /--retries/],
  [{ retries: Number.POSITIVE_INFINITY }, /--retries/],
  [{ retries: -1 }, /--retries wants a number from 0/],
];

for (const [raw, message] of refused) {
  t.test(
    `${Object.keys(raw).join()} = ${JSON.stringify(Object.values(raw)[0]) ?? ''} is refused by name`,
    async (t) => {
      t.throws(() => parseOptions(table, raw), { code: 'OPTION_INVALID', message });
    },
  );
}

t.test('an option that is undefined was not given', async (t) => {
  t.doesNotThrow(() => parseOptions(table, { nonsense: undefined, command: undefined }));
});

t.test('flags are spelled in kebab-case', async (t) => {
  t.equal(optionFlag('greetingTimeout'), '--greeting-timeout');
  t.equal(optionFlag('listen'), '--listen');
});
