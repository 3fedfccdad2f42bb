/** The demo: sets the stage, tells the story, and leaves the server up for a look, or ends. */
import { chapters } from './chapters.ts';
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
  narrator.chapter('A GitHub and a server on this machine');
  const stage = await setStage(options);
  try {
    narrator.link('GitHub', `${stage.github.webUrl}/${fullName}`);
    narrator.link('Contender', stage.serverUrl);
    const told = await Promise.race([tell(stage, narrator), interrupted]);
    if (typeof told === 'number') await afterwards(stage);
    return told;
  } finally {
    await stage.close();
  }
}

async function tell(stage: Stage, narrator: Narrator): Promise<number> {
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
  return wrong;
}
