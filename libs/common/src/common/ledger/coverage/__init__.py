"""Which copies there are and which are lacking, kept up to date by triggers so that no report scans the register."""
