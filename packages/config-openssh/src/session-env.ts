/**
 * The environment of a session by ssh_config(5): variables of ours that a SendEnv pattern names (a pattern with `-` takes
 * names out again), then SetEnv's own, each `NAME=value`.
 */
export function sessionEnv(
  sendEnv: readonly string[],
  setEnv: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const sent = Object.entries(variables).filter(([name, value]) => value !== undefined && isSent(name, sendEnv));
  return Object.fromEntries([
    ...sent.map(([name, value]) => [name, value ?? '']),
    ...setEnv.map(nameAndValue),
  ]) as Record<string, string>;
}

function isSent(name: string, patterns: readonly string[]): boolean {
  const named = patterns.findLast((pattern) => glob(pattern.replace(/^-/, '')).test(name));
  return named !== undefined && !named.startsWith('-');
}

function glob(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
}

function nameAndValue(setting: string): [name: string, value: string] {
  const equals = setting.indexOf('=');
  return [setting.slice(0, equals), setting.slice(equals + 1).replace(/^"(.*)"$/, '$1')];
}
