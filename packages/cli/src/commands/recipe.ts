import {
  formatDestination,
  type OptionTable,
  parseDestination,
  type PluginRegistry,
  quoteWord,
  type Recipe,
  ViasshError,
} from '@viassh/core';
import { brokerSituation } from '../broker/recipes/broker-situation.ts';
import { launchdBroker } from '../broker/recipes/launchd-broker.ts';
import { systemdBroker } from '../broker/recipes/systemd-broker.ts';
import { builtinPlugins, builtinPrograms, builtinRecipes } from '../builtin.ts';
import { installedCommands } from '../installation.ts';
import type { CommandContext } from './command-context.ts';
import { writeTable } from './write-table.ts';

/** Those that start `viassh up`. */
const brokerRecipes = [systemdBroker, launchdBroker];

/**
 * `viassh recipe [PROGRAM DEST]`: prints the configuration that makes PROGRAM use viassh, or what programs there are. Those that
 * start the broker need no destination.
 *
 * @throws ViasshError USAGE, DESTINATION_INVALID, CONFIG_INVALID
 */
export async function runRecipe(
  { globals, environment, stdout }: CommandContext,
  program: string | undefined,
  destination: string | undefined,
  raw: Readonly<Record<string, unknown>>,
  words: readonly string[],
  plugins: PluginRegistry,
): Promise<number> {
  const recipes = await allRecipes();
  if (program === undefined) {
    const own = new Map(brokerRecipes.map((recipe) => [recipe.program, recipe.summary]));
    const list = [
      ...recipes.map(({ program, summary }) => ({ program, summary: own.get(program) ?? summary })),
      ...brokerRecipes.filter(({ program }) => !recipes.some((recipe) => recipe.program === program)),
    ].map(({ program, summary }) => ({ program, summary }));
    if (globals.json) stdout.write(`${JSON.stringify({ recipes: list }, null, 2)}\n`);
    else
      writeTable(
        stdout,
        list.map((recipe) => [recipe.program, recipe.summary]),
      );
    return 0;
  }
  const recipe = recipes.find((candidate) => candidate.program === program);
  const ofBroker = brokerRecipes.find((candidate) => candidate.program === program);
  if (ofBroker !== undefined && (destination === undefined || recipe === undefined)) {
    refuseDestination(program, destination ?? words[0], recipe !== undefined);
    const script = await ofBroker.script(brokerSituation(environment, plugins), raw);
    stdout.write(globals.json ? `${JSON.stringify({ program, script }, null, 2)}\n` : script);
    return 0;
  }
  if (recipe === undefined) {
    throw new ViasshError('USAGE', `there is no recipe for '${program}'`, {
      hint: `there are those for ${[...new Set([...recipes, ...brokerRecipes].map((known) => known.program))].join(', ')}`,
    });
  }
  if (destination === undefined) {
    throw new ViasshError('USAGE', 'the destination is missing', {
      hint: `viassh recipe ${program} [user@]host[:port]`,
    });
  }
  const { viassh, remoteShell } = installedCommands(environment.variables);
  const script = recipe.script(
    {
      destination: quoteWord(formatDestination(parseDestination(destination))),
      viassh: quoteWord(viassh),
      remoteShell: quoteWord(remoteShell),
    },
    raw,
    words,
  );
  stdout.write(globals.json ? `${JSON.stringify({ program, script }, null, 2)}\n` : script);
  return 0;
}

/** The first recipe that is named among words, for its options: with a destination and without. */
export async function findRecipe(words: readonly string[]): Promise<Pick<Recipe, 'program' | 'options'> | undefined> {
  const recipes = [...(await allRecipes()), ...brokerRecipes];
  const program = words.find((word) => recipes.some((recipe) => recipe.program === word));
  if (program === undefined) return undefined;
  const tables = recipes.flatMap((recipe) => (recipe.program === program ? [recipe.options ?? {}] : []));
  const options = Object.assign({}, ...tables) as OptionTable;
  return { program, ...(Object.keys(options).length === 0 ? {} : { options }) };
}

/** What would count for nothing. @throws ViasshError USAGE */
function refuseDestination(program: string, word: string | undefined, takesForwards: boolean): void {
  if (word === undefined) return;
  throw new ViasshError('USAGE', `this recipe is for viassh up, which finds its destinations in config.yaml: ${word}`, {
    hint: takesForwards
      ? `viassh recipe ${program}, or viassh recipe ${program} DEST -- -L ...`
      : `viassh recipe ${program}`,
  });
}

async function allRecipes(): Promise<readonly Recipe[]> {
  const owners = await Promise.all([...builtinPlugins, ...builtinPrograms].map(async (entry) => await entry.load()));
  return [...owners.flatMap(({ recipes = [] }) => recipes), ...(await builtinRecipes())];
}
