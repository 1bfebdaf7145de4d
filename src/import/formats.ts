import { readAuth0 } from './formats/auth0.ts'
import { readBetterAuth } from './formats/better-auth.ts'
import { readDjango } from './formats/django.ts'
import { readFirebase } from './formats/firebase.ts'
import { readKeycloak } from './formats/keycloak.ts'
import { readCsv, readNdjson } from './formats/own.ts'
import { readSupabase } from './formats/supabase.ts'
import type { FormatName } from './recognise.ts'
import type { Reader } from './record.ts'

/** A reader for each format. */
export const readers: Readonly<Record<FormatName, Reader>> = {
  ndjson: readNdjson,
  csv: readCsv,
  supabase: readSupabase,
  'better-auth': readBetterAuth,
  keycloak: readKeycloak,
  firebase: readFirebase,
  auth0: readAuth0,
  django: readDjango
}

/** Formats of our own: what they call a role is a role here. */
export const ownFormats: readonly FormatName[] = ['ndjson', 'csv']
