// The clocks of a person's zone, once the server has said which; until then those of this screen.
import { useMemo } from "react";
import { Calendar } from "@/model/calendar";
import { usePast } from "./use-past";

export function useCalendar(user: string): Calendar {
  const { zone } = usePast({ user, metric: "heart_rate", resolution: "day" }, null);
  return useMemo(() => new Calendar(zone), [zone]);
}
