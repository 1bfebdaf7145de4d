import { parentPort, workerData } from 'node:worker_threads'
import { verifyShaCrypt } from './sha-crypt-digest.ts'

// The thread that sha-crypt-in-thread.ts starts.
parentPort?.postMessage(verifyShaCrypt(workerData))
