"""考 make.py dist 做出的文件。久，所以不在 make.py test 里，CI 另跑一步：python3 make.py test tests_dist。"""
