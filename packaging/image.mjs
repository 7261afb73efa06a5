// Writes an image as one folder, to be packed as one archive, that every engine reads: an OCI layout (podman load, skopeo copy
// oci-archive:, docker load of 25 and later) with the older list beside it (docker load of any). The health check stays, which OCI
// itself does not know but docker and podman honour. What buildah writes of itself (a random container's id, its
// version) is left out: the same commit gives the same bytes.
// Usage: node image.mjs PUSHED OUTPUT NAME:TAG     (PUSHED: what `buildah push … dir:PUSHED` wrote)
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [pushed, output, name] = process.argv.slice(2);
const pushed_manifest = JSON.parse(readFileSync(join(pushed, "manifest.json"), "utf8"));
const blobs = join(output, "blobs/sha256");
mkdirSync(blobs, { recursive: true });

const hex = (digest) => digest.replace(/^sha256:/, "");
const kept = ({ digest }) => {
  copyFileSync(join(pushed, hex(digest)), join(blobs, hex(digest)));
  return { digest, size: statSync(join(blobs, hex(digest))).size };
};
const written = (text) => {
  const digest = createHash("sha256").update(text).digest("hex");
  writeFileSync(join(blobs, digest), text);
  return { digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
};

const media = { docker: "application/vnd.docker.", oci: "application/vnd.oci.image." };
const layers = pushed_manifest.layers.map((layer) => ({
  mediaType: `${media.oci}layer.v1.tar${/gzip/.test(layer.mediaType) ? "+gzip" : ""}`,
  ...kept(layer),
}));
const image = JSON.parse(readFileSync(join(pushed, hex(pushed_manifest.config.digest)), "utf8"));
delete image.container;
delete image.container_config;
delete image.config.Labels["io.buildah.version"];
const config = { mediaType: `${media.oci}config.v1+json`, ...written(JSON.stringify(image)) };
const manifest = written(JSON.stringify({ schemaVersion: 2, mediaType: `${media.oci}manifest.v1+json`, config, layers }));
const { architecture, os } = image;

writeFileSync(join(output, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
writeFileSync(join(output, "index.json"), JSON.stringify({
  schemaVersion: 2,
  mediaType: `${media.oci}index.v1+json`,
  manifests: [{
    mediaType: `${media.oci}manifest.v1+json`,
    ...manifest,
    platform: { architecture, os },
    annotations: { "io.containerd.image.name": `docker.io/${name}`, "org.opencontainers.image.ref.name": name.split(":")[1] },
  }],
}));
writeFileSync(join(output, "manifest.json"), JSON.stringify([{
  Config: `blobs/sha256/${hex(config.digest)}`,
  RepoTags: [name],
  Layers: layers.map((layer) => `blobs/sha256/${hex(layer.digest)}`),
}]));
