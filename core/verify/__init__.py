"""What leaves turnkey has been tried: probes, lane trials, verdicts, receipts."""
