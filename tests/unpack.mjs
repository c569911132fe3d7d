// Unpack the packaged Chromium, its fonts and the libraries that it needs into the folder $TMPDIR.
import { inflate } from "@sparticuz/chromium";

for (const pack of ["chromium.br", "fonts.tar.br", "al2023.tar.br"])
  await inflate(`node_modules/@sparticuz/chromium/bin/${pack}`);
