# Sums the lines of an lcov file by top-level module: `make coverage`.
BEGIN { FS = ":" }
/^SF:/ { path = $2; sub(/.*\/src\//, "", path); split(path, parts, "/"); module = parts[1]; sub(/\.rs$/, "", module) }
/^LF:/ { lines[module] += $2; all += $2 }
/^LH:/ { covered[module] += $2; all_covered += $2 }
END {
  if (!all) { print "the file has no lines" > "/dev/stderr"; exit 1 }
  for (module in lines) printf "%-12s %6d lines %6.1f %%\n", module, lines[module], 100 * covered[module] / lines[module] | "sort"
  close("sort")
  printf "%-12s %6d lines %6.1f %%\n", "total", all, 100 * all_covered / all
}
