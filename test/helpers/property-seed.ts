import fc from 'fast-check'

// Property tests meet the same inputs in every run, so that a change is what turns them red; PROPERTY_SEED explores others.
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 9106) })
