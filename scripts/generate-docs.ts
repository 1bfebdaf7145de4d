import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderConfigurationReference, renderEnvExample } from '../src/config/docs.ts'
import { renderErrorReference } from '../src/error-docs.ts'
import { packageRoot } from '../src/package-root.ts'

await writeFile(join(packageRoot, '.env.example'), renderEnvExample())
await writeFile(join(packageRoot, 'docs/reference/configuration.md'), renderConfigurationReference())
await writeFile(join(packageRoot, 'docs/reference/errors.md'), renderErrorReference())
