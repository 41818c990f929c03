import type { Recipe } from '@viassh/core';
import { alpineRecipe } from './alpine.ts';
import { fetchmailRecipe } from './fetchmail.ts';
import { imapflowRecipe } from './imapflow.ts';
import { mbsyncRecipe } from './mbsync.ts';
import { muttRecipe, neomuttRecipe } from './mutt.ts';
import { offlineimapRecipe } from './offlineimap.ts';

/** The programs that read mail through `viassh imap`. */
export const imapRecipes: readonly Recipe[] = [
  muttRecipe,
  neomuttRecipe,
  fetchmailRecipe,
  mbsyncRecipe,
  offlineimapRecipe,
  alpineRecipe,
  imapflowRecipe,
];
