/** The demo: sets the stage, tells the story, and leaves the server up for a look, or ends. */
import { chaptersOf, type Chapter } from './chapters.ts';
import { fullName, setStage, type Stage, type StageOptions } from './stage.ts';
import { Disappointment, type Narrator } from './story.ts';

export interface DemoOptions extends StageOptions {
  readonly narrator: Narrator;
  /** Called with the stage still set, when the story is told; the stage is cleared when it resolves. */
  readonly afterwards: (stage: Stage) => Promise<void>;
  /** Ends the story where it stands; the stage is cleared. */
  readonly interrupted: Promise<NodeJS.Signals>;
}

/** Gives the number of chapters that went wrong, or the signal that ended the story before its end. */
export async function runDemo(options: DemoOptions): Promise<number | NodeJS.Signals> {
  const { narrator, interrupted, afterwards } = options;
  let signal: NodeJS.Signals | null = null;
  void interrupted.then((given) => (signal = given));
  narrator.chapter('A GitHub and a server on this machine');
  const stage = await setStage(options).catch((error: unknown) => {
    // Ctrl-C reaches the programs that set the stage, too.
    if (signal === null) throw error;
    return null;
  });
  if (stage === null) return interrupted;
  try {
    if (signal !== null) return signal;
    narrator.link('GitHub', `${stage.github.webUrl}/${fullName}`);
    narrator.link('Contender', stage.serverUrl);
    const told = await Promise.race([tell(stage, chaptersOf(options), narrator, () => signal !== null), interrupted]);
    if (typeof told === 'number') await afterwards(stage);
    return told;
  } finally {
    await stage.close();
  }
}

/** Gives how many went wrong. One of a server that has ended is the last one, and so is the one during which it is `over`. */
export async function tell(
  stage: Stage,
  story: readonly Chapter[],
  narrator: Narrator,
  over: () => boolean,
): Promise<number> {
  let isDead = false;
  const death = stage.serverDied.then((why) => {
    isDead = true;
    throw new Disappointment(why);
  });
  death.catch(() => undefined);
  let wrong = 0;
  for (const chapter of story) {
    if (isDead || over()) break;
    narrator.chapter(chapter.title);
    try {
      await Promise.race([chapter.tell(stage, narrator), death]);
    } catch (error) {
      if (over()) break;
      narrator.wrong(whyOf(error));
      wrong += 1;
    }
  }
  return wrong;
}

/** What nobody foresaw, with its stack. */
function whyOf(error: unknown): string {
  if (error instanceof Disappointment) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
