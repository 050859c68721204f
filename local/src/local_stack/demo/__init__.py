"""The demo: real bags, frozen in different classes, travel from S3 to Azure and on to the bag register."""
