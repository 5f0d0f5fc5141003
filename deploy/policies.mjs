/**
 * What Google's CSP Evaluator finds in content security policies: a JSON list of them on standard input, a line for
 * each finding on standard output. Exit status 1 if one of them is serious.
 */
import { readFileSync } from "node:fs";
import evaluator from "csp_evaluator/dist/evaluator.js";
import finding from "csp_evaluator/dist/finding.js";
import parser from "csp_evaluator/dist/parser.js";

for (const policy of JSON.parse(readFileSync(0, "utf8"))) {
  const found = new evaluator.CspEvaluator(new parser.CspParser(policy).csp).evaluate();
  for (const { severity, directive, value, description } of found) {
    console.log(`${finding.Severity[severity]}: ${directive} ${value ?? ""}: ${description}`);
    if (severity <= finding.Severity.MEDIUM) process.exitCode = 1;
  }
}
