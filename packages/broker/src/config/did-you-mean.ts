/** `; did you mean 'via'?` where one of the names is near to what was written, else nothing. */
export function didYouMean(written: string, names: Iterable<string>): string {
  const plain = written.toLowerCase().replaceAll(/[-_]/g, '');
  let [best, least] = ['', plain.length < 4 ? 1.5 : 2.5];
  for (const name of names) {
    const edits = editsBetween(plain, name.toLowerCase());
    if (edits < least) [best, least] = [name, edits];
  }
  return best === '' ? '' : `; did you mean '${best}'?`;
}

/** Letters put in, left out, changed, or swapped with the next one (optimal string alignment). */
function editsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity; // also bounds the work, whatever was written
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        cell(rows, i - 1, j) + 1,
        cell([row], 0, j - 1) + 1,
        cell(rows, i - 1, j - 1) + (same ? 0 : 1),
        swapped ? cell(rows, i - 2, j - 2) + 1 : Infinity,
      );
    }
    rows[i] = row;
  }
  return cell(rows, a.length, b.length);
}

function cell(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? Infinity;
}
