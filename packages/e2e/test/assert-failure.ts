import type { Test } from 'tap';
import type { ErrorCode } from '@viassh/core';
import type { Outcome } from './run-viassh.ts';

/** What a failure of viassh's own must look like. */
export interface ExpectedFailure {
  readonly error: ErrorCode;
  /** Default: 255. */
  readonly code?: 64 | 255 | undefined;
  readonly says?: RegExp | undefined;
  readonly hint?: RegExp | undefined;
}

/** Exit code; nothing on stdout; one line with sentence and code and one with a hint; no escape bytes, no stack trace. */
export function assertFailure(t: Test, outcome: Outcome, expected: ExpectedFailure, name = ''): void {
  const { error, code = 255, says = /./, hint = /./ } = expected;
  const of = name === '' ? error : name;
  t.strictSame({ code: outcome.code, stdout: outcome.stdout.toString() }, { code, stdout: '' }, `${of}: exit code`);
  const [sentence = '', advice = '', ...more] = outcome.stderr.split('\n');
  t.match(sentence, new RegExp(`^viassh: \\S.* \\(${error}\\)$`), `${of}: one sentence, with the code`);
  t.match(sentence, says, `${of}: what is wrong`);
  t.match(advice, /^ {2}hint: \S/, `${of}: a hint`);
  t.match(advice, hint, `${of}: what to do`);
  t.strictSame(more, [''], `${of}: no more lines`);
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  t.notMatch(outcome.stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/, `${of}: no control characters`);
}
