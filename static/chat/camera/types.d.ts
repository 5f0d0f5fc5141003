/** Shapes that the camera's modules share. Types only: nothing here reaches a browser. */

/** Where the picture comes from. `device` is a deviceId, or "" for whichever camera looks that way. */
interface Source {
  kind: "camera" | "screen";
  facing: "user" | "environment";
  device: string;
}

declare module "camera" {
  export const Viewfinder: typeof import("./viewfinder.js").Viewfinder;
}
