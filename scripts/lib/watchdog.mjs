// Loaded into wrangler's process. It ends wrangler when the process that started it is gone, so
// that no server outlives a script that was killed.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
