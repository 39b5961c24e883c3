#!/usr/bin/perl
# A daemon that is small enough to read, and real enough to be down.
use strict;
use warnings;
use IO::Socket::INET;

my $version = '@VERSION@';
if ($version ne '1.0' && -e '/etc/pr-daemon.broken') {
	die "pr-daemon $version: cannot read the old configuration\n";
}
my $listener = IO::Socket::INET->new(LocalPort => 8080, Listen => 16, ReuseAddr => 1)
	or die "pr-daemon: listen: $!\n";
while (my $client = $listener->accept) {
	while (my $line = <$client>) {
		last if $line =~ /^\r?\n$/;
	}
	my $body = "ok $version\n";
	print $client "HTTP/1.0 200 OK\r\nContent-Length: ", length $body, "\r\n\r\n$body";
	close $client;
}
