/** The demo: sets the stage, tells the story, and leaves the server up for a look, or ends. */
import { chapters } from './chapters.ts';
import { fullName, setStage, type Stage, type StageOptions } from './stage.ts';
import { Disappointment, type Narrator } from './story.ts';

export interface DemoOptions extends StageOptions {
  readonly narrator: Narrator;
  /** Called with the stage still set, when the story is told; the stage is cleared when it resolves. */
  readonly afterwards: (stage: Stage) => Promise<void>;
  /** Ends the story where it stands; the stage is cleared. */
  readonly interrupted: Promise<unknown>;
}

/** Gives the number of chapters that went wrong. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { narrator } = options;
  narrator.chapter('A GitHub and a server on this machine');
  const stage = await setStage(options);
  try {
    narrator.link('GitHub', `${stage.github.webUrl}/${fullName}`);
    narrator.link('Contender', stage.serverUrl);
    return await Promise.race([tell(stage, options), options.interrupted.then(() => 0)]);
  } finally {
    await stage.close();
  }
}

async function tell(stage: Stage, { narrator, afterwards }: DemoOptions): Promise<number> {
  let wrong = 0;
  for (const chapter of chapters) {
    narrator.chapter(chapter.title);
    try {
      await chapter.tell(stage, narrator);
    } catch (error) {
      if (!(error instanceof Disappointment)) throw error;
      narrator.wrong(error.message);
      wrong += 1;
    }
  }
  await afterwards(stage);
  return wrong;
}
