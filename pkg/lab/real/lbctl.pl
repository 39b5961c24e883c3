#!/usr/bin/perl
# What an admin writes to take a server out of HAProxy: lbctl drain|ready|idle. The
# server is the host that patchring is at work on. Every word but idle is logged.
use strict;
use warnings;
use IO::Socket::UNIX;

my $word = shift // '';
my $name = $ENV{PATCHRING_HOST} // '';
$name =~ /^[a-z0-9-]+$/ or die "lbctl: no server\n";

sub ask {
	my ($question) = @_;
	my $s = IO::Socket::UNIX->new(Peer => '/run/haproxy/admin.sock') or die "lbctl: HAProxy: $!\n";
	print $s "$question\n";
	return join '', <$s>;
}

# Tells whether the lab's file of a fault names this server.
sub fault {
	open my $file, '<', "/etc/lbctl.$_[0]" or return 0;
	return grep { $_ eq "$name\n" } <$file>;
}

if ($word eq 'idle') {
	die "lbctl: $name is said to be busy\n" if fault('busy');
	my ($row) = ask('show stat') =~ /^(web,$name,.*)$/m or die "lbctl: no server $name\n";
	my $sessions = (split /,/, $row)[4];
	die "lbctl: $name has $sessions sessions\n" if $sessions;
	exit 0;
}
$word eq 'drain' or $word eq 'ready' or die "usage: lbctl drain|ready|idle\n";
open my $log, '>>', '/var/log/lbctl' or die "lbctl: log: $!\n";
print $log "$word $name\n";
close $log;
my $said = ask("set server web/$name state $word");
die "lbctl: $said" if $said =~ /\S/;
die "lbctl: $name: the load balancer's disk is full\n" if fault("broken-$word");
sleep 1 while fault("hangs-$word");
