// Package terminal reads what a device's command line prints: bytes in, in any pieces;
// what to do next out. It does no I/O and knows no clock; package connect puts it on an
// SSH channel, and asks Next after each piece and after each silence.
//
// Nothing is decided while bytes come. Next asks for a short silence first, so how the
// bytes were cut into pieces changes nothing. What is decided then, in this order:
//
//	a Stop pattern in the last lines (at a prompt: in the prompt)   Stopped
//	a pager at the end                                              its key, at once
//	the prompt, with the name learnt at the login, at the end       the end, after 50–100 ms
//	a question of the exchange's table at the end                   its answer, after 100 ms
//	another prompt at the end: no name, or another name             the end, after 300 ms or 5 s
//	the prompt, then log lines only, and an empty line              a newline, after 3 s, at most 3 times
//	text that asks ([confirm], [y/n] …)                             Asked, after 10 s
//	any other text without a newline                                Asked, after Quiet
//	nothing                                                         hung: Lost, after Quiet
//
// A prompt counts as the last thing only: more bytes after it make it output. Before the
// echo of what was sent, a prompt counts after 1 s only; never where the device is known to
// echo: it is a redrawn one, or one in the output of the line before. Then the exchange is
// Lost after 3 s. The newline that asks for the prompt again is sent only where the
// device had already shown it after the echo and only log lines followed, so that no
// question can be open.
//
// A question matches where the match reaches the end of what was printed. Lines that a log
// message cut, or that are as wide as a terminal, are joined for that; for a secret they
// never are: its row must match the device's own last line by itself. A row that names no
// secret, and whose pattern does not itself name a password, never answers a line that
// does. Once a Failed or an Errors pattern has matched, no question is answered any more.
package terminal
