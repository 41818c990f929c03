import { type Recipe, ViasshError } from '@viassh/core';
import { builtinPlugins, builtinPrograms } from '../builtin.ts';
import type { CommandContext } from './command-context.ts';

/** `viassh recipe PROGRAM DEST`: prints the configuration that makes PROGRAM use viassh. */
export async function runRecipe({ stdout }: CommandContext, program: string, destination: string): Promise<number> {
  const recipe = (await allRecipes()).find((candidate) => candidate.program === program);
  if (recipe === undefined)
    throw new ViasshError('USAGE', `there is no recipe for '${program}'`, { hint: 'viassh recipe lists them' });
  stdout.write(recipe.script({ destination, viassh: 'viassh', remoteShell: 'viassh-ssh' }));
  return 0;
}

async function allRecipes(): Promise<readonly Recipe[]> {
  const owners = await Promise.all([...builtinPlugins, ...builtinPrograms].map(async (entry) => await entry.load()));
  return owners.flatMap(({ recipes = [] }) => recipes);
}
