import { readFile } from 'node:fs/promises';
import t from 'tap';
import { type ErrorEntry, errorCodes } from '@viassh/core';

interface Row extends Record<keyof ErrorEntry, unknown> {
  readonly whatToDo: string;
}

/** The rows of docs/errors.md by code; a table row begins with a code in backticks. */
async function readRows(): Promise<Map<string, Row>> {
  const text = await readFile(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.map((line) => {
      const [, code = '', kind, exitCode, meaning, whatToDo = ''] = line.split('|').map((cell) => cell.trim());
      return [code.replaceAll('`', ''), { kind, exitCode: Number(exitCode), meaning, whatToDo }];
    }),
  );
}

t.test('docs/errors.md has every code, and no other, in the order of the table', async (t) => {
  t.same([...(await readRows()).keys()], Object.keys(errorCodes));
});

t.test('docs/errors.md says of each code what the table says, and what to do', async (t) => {
  const rows = await readRows();
  for (const [code, entry] of Object.entries(errorCodes)) {
    const { whatToDo = '', ...said } = rows.get(code) ?? {};
    t.same(said, entry, code);
    t.match(whatToDo, /^\S.*\.$/, `${code}: a sentence on what to do`);
  }
});

t.test('codes and meanings keep their form', async (t) => {
  for (const [code, { meaning }] of Object.entries(errorCodes)) {
    t.match(code, /^[A-Z][A-Z0-9_]*$/);
    t.match(meaning, /^[A-Z][^|\n]*\.$/, code);
  }
});
