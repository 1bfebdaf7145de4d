#!/usr/bin/env node
import { exitCodes } from './cli/exit.ts'
import { runCommand } from './cli/program.ts'
import { processSurroundings } from './cli/surroundings.ts'

// A reader that goes away early, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed) })

const exitCode = await runCommand(process.argv.slice(2), processSurroundings)
// The service ends by itself later, with a code of its own.
if (exitCode !== exitCodes.done) process.exitCode = exitCode
