/**
 * Bundles the extension into dist/extension.cjs, and with --tests its extension-host tests too.
 * SERVER_VERSION in the environment is the version of the server that goes with it; without it any will do.
 */
import { build, type BuildOptions } from 'esbuild';

const shared: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20', // of VS Code 1.91
  external: ['vscode'],
  define: { SERVER_VERSION: JSON.stringify(process.env['SERVER_VERSION'] ?? '') },
  logLevel: 'warning',
};

await build({ ...shared, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.cjs', minify: true });
if (process.argv.includes('--tests')) {
  await build({ ...shared, entryPoints: ['test/host/index.ts'], outfile: 'dist/host-tests.cjs', sourcemap: 'inline' });
}
