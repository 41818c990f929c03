/** How one test ended. */
export interface Outcome {
  /** File, test, subtest … */
  readonly path: readonly string[];
  readonly result: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped. */
  readonly reason: string;
  readonly milliseconds: number | undefined;
  /** Its lines of TAP. */
  readonly output: readonly string[];
}

interface OpenTest {
  readonly name: string;
  readonly indent: number;
  readonly output: string[];
  hasChildren: boolean;
}

/** Follows nested TAP 14 and collects the innermost tests: those whose body holds assertions and no further test. */
export class TapReader {
  readonly outcomes: Outcome[] = [];
  bailedOut = false;
  /** How many files the plan of the outermost level speaks of; undefined: the run was cut short. */
  planned: number | undefined;
  /** Files that ended. */
  files = 0;
  readonly #open: OpenTest[] = [];

  /** Takes a line; returns a test of the outermost level (a file) when the line ends it. */
  add(line: string): Outcome | undefined {
    for (const { output } of this.#open) output.push(line);
    if (line.startsWith('Bail out!')) this.bailedOut = true;
    const plan = /^1\.\.(\d+)/.exec(line)?.[1];
    if (plan !== undefined) this.planned = Number(plan);
    const indent = line.length - line.trimStart().length;
    const started = /^ *# Subtest: (.*)$/.exec(line)?.[1];
    if (started !== undefined) {
      const parent = this.#open.at(-1);
      if (parent !== undefined) parent.hasChildren = true;
      this.#open.push({ name: started, indent, output: [line], hasChildren: false });
      return undefined;
    }
    const point = /^ *(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO|time=)(.*?))?$/.exec(line);
    if (point === null) return undefined;
    const [, not, name = '', directive = '', rest = ''] = point;
    const skipped = directive === 'SKIP' || directive === 'TODO';
    const top = this.#open.at(-1);
    if (top?.indent === indent) {
      this.#open.pop();
      const path = [...this.#open.map((test) => test.name), top.name];
      const outcome = outcomeOf(path, not !== undefined, skipped, rest, top.output);
      // A failed parent counts by itself only when no child explains it (a crash, a time-out, a missing plan).
      if (!top.hasChildren || (not !== undefined && !this.#explains(path))) this.outcomes.push(outcome);
      if (this.#open.length > 0) return undefined;
      this.files += 1;
      return outcome;
    }
    if (skipped)
      this.outcomes.push(
        outcomeOf([...this.#open.map((test) => test.name), name], not !== undefined, true, rest, [line]),
      );
    return undefined;
  }

  #explains(path: readonly string[]): boolean {
    return this.outcomes.some(
      ({ result, path: own }) => result === 'failed' && path.every((name, index) => own[index] === name),
    );
  }
}

function outcomeOf(
  path: readonly string[],
  failed: boolean,
  skipped: boolean,
  rest: string,
  output: readonly string[],
): Outcome {
  const time = /^([\d.]+)ms/.exec(rest)?.[1];
  return {
    path,
    result: skipped ? 'skipped' : failed ? 'failed' : 'passed',
    reason: skipped ? rest.trim() : '',
    milliseconds: time === undefined ? undefined : Number(time),
    output,
  };
}
