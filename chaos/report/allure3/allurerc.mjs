// How Allure 3 shows a night of experiments. build.py sets the variables; nothing here depends on where it lies.
import { readFileSync } from "node:fs";

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: build the report with "chaos report"`);
  return value;
};

// An error's message begins with the module path of its class. The same file feeds the summary on the terminal.
const categories = JSON.parse(readFileSync(new URL("categories.json", import.meta.url), "utf8"));
const blame = (errors) => new RegExp(`^(\\w+\\.)*(${errors.join("|")})\\b`);

// A label that is hidden cannot be grouped by: lesson and system must not stand in here.
const hideLabels = [/^(host|thread|language|framework|package|parentSuite|suite|subSuite|epic|feature|story|tag)$/];

const charts = [
  { type: "currentStatus", title: "This run" },
  { type: "statusDynamics", title: "Verdicts, night by night", limit: 30 },
  { type: "statusTransitions", title: "What changed since the night before", limit: 30 },
  { type: "stabilityDistribution", title: "Same verdict every night, by system", groupBy: "label-name:system", threshold: 90 },
  { type: "statusAgePyramid", title: "Since when it is red", limit: 30 },
  { type: "durationDynamics", title: "How long the night takes", limit: 30 },
];

const awesome = (reportName, groupBy, more = {}) => ({
  import: "@allurereport/plugin-awesome",
  options: { reportName, groupBy, reportLanguage: "en", theme: "auto", defaultSortBy: "name,asc", charts, ...more },
});

export default {
  name: "Chaos: what middleware promises",
  historyPath: setting("CHAOS_REPORT_HISTORY"),
  historyLimit: 60,
  appendHistory: setting("CHAOS_REPORT_APPEND") === "1",
  hideLabels,
  categories: categories.map(({ id, name, statuses, errors }) => ({
    id,
    name,
    matchers: errors.length ? { statuses, message: blame(errors) } : { statuses },
    groupBy: errors.length ? [{ label: "system" }] : [],
    groupByMessage: !errors.length,
    expand: true,
  })),
  // The measures in *-perf.json carry their own titles, units and groups, so no list of metrics stands here.
  plugins: {
    lessons: awesome("By lesson", ["lesson", "system"]),
    systems: awesome("By system", ["system", "lesson"]),
    single: awesome("Chaos (passed = behaved as the experiment says)", ["lesson", "system"], { singleFile: true }),
  },
};
