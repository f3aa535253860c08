// The page's entry: mounts the dashboard.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Crash } from "./components/crash";
import { SHEET_MS } from "./model/sheet";
import { PeoplePage } from "./pages/people-page";
import websocketService from "./services/websocket-service";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/line.css";
import "./styles/sync.css";
import "./styles/notices.css";
import "./styles/people.css";
import "./styles/seat.css";
import "./styles/person.css";
import "./styles/past.css";

const root = document.getElementById("root");
if (root === null) {
  throw new Error("index.html has no element with the id root");
}
/** The trend looks a minute back from any reading on the sheet. */
const TREND_MS = 70_000;
websocketService.configure({ lineMs: SHEET_MS + TREND_MS });
createRoot(root).render(
  <StrictMode>
    <Crash>
      <PeoplePage />
    </Crash>
  </StrictMode>,
);
