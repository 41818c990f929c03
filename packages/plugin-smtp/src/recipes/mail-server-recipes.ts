import type { Recipe } from '@viassh/core';
import { eximRecipe } from './exim.ts';
import { postfixRecipe } from './postfix.ts';

/** How mail servers deliver through viassh. */
export const mailServerRecipes: readonly Recipe[] = [eximRecipe, postfixRecipe];
