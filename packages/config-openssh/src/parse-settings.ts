/** Reads the output of `ssh -G`: one `name value` a line, names in lower case, a name may come several times. */
export function parseSettings(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const blank = line.indexOf(' ');
    if (blank > 0) add(settings, line.slice(0, blank).toLowerCase(), line.slice(blank + 1).trim());
  }
  return settings;
}

/** Adds one value of a setting. */
export function add(settings: Map<string, string[]>, name: string, value: string): void {
  const values = settings.get(name);
  if (values === undefined) settings.set(name, [value]);
  else values.push(value);
}
