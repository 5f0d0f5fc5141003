/** Shapes that the camera's modules share. Types only: nothing here reaches a browser. */

/** Where the picture comes from. `device` is a deviceId, or "" for whichever camera looks that way. */
interface Source {
  kind: "camera" | "screen";
  facing: "user" | "environment";
  device: string;
}

/** A thing in a photo that an answer points at; a point is a box without a size. All from 0 to 1. */
interface Mark {
  label: string;
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Size {
  width: number;
  height: number;
}

/** See zoom.js. */
interface View {
  scale: number;
  x: number;
  y: number;
}

/** A photo that is looked at: of a message that was sent (`attachment`), or a draft (`file`). */
interface ShownPhoto {
  url: string;
  attachment: string;
  file: File | null;
}
