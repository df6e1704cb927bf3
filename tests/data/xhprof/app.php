<?php
function fib($n) { return $n < 2 ? $n : fib($n - 1) + fib($n - 2); }
class Page { function render($i) { $rows = []; for ($k = 0; $k < 50; $k++) { $rows[] = str_repeat("x", $i); } return implode(",", $rows); }
  static function all() { $p = new Page(); for ($i = 0; $i < 100; $i++) { $p->render($i); } } }
tideways_xhprof_enable(TIDEWAYS_XHPROF_FLAGS_MEMORY | TIDEWAYS_XHPROF_FLAGS_CPU);
fib(12); Page::all(); usort($GLOBALS['argv'], fn($a, $b) => 0); array_map('strlen', ["a", "bb"]);
$data = tideways_xhprof_disable();
file_put_contents("page.xhprof", serialize($data));
file_put_contents("page.json", json_encode($data));
file_put_contents("pretty.json", json_encode($data, JSON_PRETTY_PRINT));
tideways_xhprof_enable();
fib(10); Page::all();
file_put_contents("time.xhprof", serialize(tideways_xhprof_disable()));
