/**
 * What an image is here: what is really run on this host for a container. Nothing is mounted, so a path inside of a container
 * is none on the host. An image is told where the folders of the volumes are, and may say so to what it starts; what needs the
 * paths themselves is tested on a real cluster.
 */
import type { Container } from './wire.ts';

export interface Place {
  /** Where a path of the container is on the host: of each volume that is mounted, and of the termination message. */
  readonly paths: ReadonlyMap<string, string>;
  /** What the pod says of it. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Program {
  readonly command: readonly string[];
  /** Besides what the pod says, which goes before it. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Of the container as the kubelet starts it, `$(NAME)` filled in; null: there is no such image after all. */
export type Image = (container: Container, place: Place) => Program | null;

export type Images = Readonly<Record<string, Image>>;

/** Runs the words on this host. Where they name a path of the container outright, it becomes the one on the host. */
export const busyboxImage: Image = (container, { paths }) => {
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const longestFirst = [...paths].sort(([one], [other]) => other.length - one.length);
  const command = (words.length === 0 ? ['sh'] : words).map((word) =>
    longestFirst.reduce((text, [inside, outside]) => text.replaceAll(inside, outside), word),
  );
  return { command };
};

export type Presence =
  | { readonly kind: 'present'; readonly image: Image }
  | { readonly kind: 'absent'; readonly reason: string; readonly message: string };

const reference =
  /^([a-z0-9]+([.-][a-z0-9]+)*(:\d+)?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;

export function findImage(images: Images, { image: name = '', imagePullPolicy }: Container): Presence {
  if (!reference.test(name)) {
    const parse = `couldn't parse image name "${name}": invalid reference format`;
    const message = `Failed to apply default image tag "${name}": ${parse}`;
    return { kind: 'absent', reason: 'InvalidImageName', message };
  }
  const image = images[name];
  if (image !== undefined) return { kind: 'present', image };
  if (imagePullPolicy === 'Never') {
    const message = `Container image "${name}" is not present with pull policy of Never`;
    return { kind: 'absent', reason: 'ErrImageNeverPull', message };
  }
  const resolve = `failed to resolve reference "${name}": ${name}: not found`;
  const message = `failed to pull and unpack image "${name}": ${resolve}`;
  return { kind: 'absent', reason: 'ErrImagePull', message };
}
